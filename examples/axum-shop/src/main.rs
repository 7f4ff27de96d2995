//! Serves the shop on loopback: `cargo run -p axum-shop`, then try the lines it prints.

use std::error::Error;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use axum_shop::issuer::{self, Algorithm, Issuer};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "this is what the program says")]
async fn main() -> Result<(), Box<dyn Error>> {
    let issuer = Issuer::new().map_err(|_| "no randomness")?;
    let (partner_key, digest) = issuer::api_key().map_err(|_| "no randomness")?;
    let engine = axum_shop::engine(&issuer.jwks().to_string(), &digest)?;

    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = json!({"iss": Issuer::NAME, "aud": Issuer::AUDIENCE, "sub": "anna", "jti": "1", "roles": ["buyer"],
                        "client_id": "web", "iat": now, "auth_time": now, "exp": now + 3600});
    let token = issuer.token(Algorithm::EdDsa, &claims).map_err(|_| "cannot sign")?;

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 3000)).await?;
    println!("curl -i http://127.0.0.1:3000/v1/products");
    println!("curl -i http://127.0.0.1:3000/v1/orders/42");
    println!("curl -i http://127.0.0.1:3000/v1/orders/42 -H 'authorization: Bearer {token}'");
    println!(
        "curl -i http://127.0.0.1:3000/v1/products/1 -X PUT --json '{{\"stock\":9}}' -H 'x-api-key: {partner_key}'"
    );
    println!("curl -i --path-as-is http://127.0.0.1:3000/v1/orders/../admin/users -H 'authorization: Bearer {token}'");
    let app = axum_shop::app(axum_shop::layer(engine, issuer::seed().map_err(|_| "no randomness")?));
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}
