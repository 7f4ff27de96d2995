//! A small shop behind zt: what a service has to add is [`layer`] and one line in [`app`].

pub mod issuer;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Extension, Path};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use zt_core::engine::{File, Invalid};
use zt_core::model::Identity;
use zt_core::tower::ZtLayer;
use zt_core::{Config, Engine, State};

/// Compiles `zt.toml` with the files it names, the issuer's public keys and the digest of the partner's API key.
///
/// # Errors
/// Every mistake in them.
pub fn engine(jwks: &str, partner_key_sha256: &str) -> Result<Engine, Invalid> {
    let file = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
    let mut config = Config::from_toml(include_str!("../zt.toml"))?.with_files([
        file("openapi.yaml", include_str!("../openapi.yaml")),
        file("policies/shop.cedar", include_str!("../policies/shop.cedar")),
        file("policies/guards.cedar", include_str!("../policies/guards.cedar")),
        file("keys/idp.json", jwks),
    ]);
    for key in &mut config.verify.api_key {
        key.sha256 = Some(partner_key_sha256.to_owned());
    }
    Engine::new(&config)
}

/// The Layer, told where axum keeps the peer's address. `seed` keys the state's hash tables: a random one, so that
/// nobody can aim at them.
pub fn layer(engine: Engine, seed: u64) -> ZtLayer {
    let state = State::with_seed(&engine, seed);
    ZtLayer::new(Arc::new(engine), Arc::new(state))
        .with_peer(|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip()))
}

/// The shop. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`.
pub fn app(layer: ZtLayer) -> Router {
    Router::new()
        .route("/health", get(async || "up"))
        .route("/v1/login", post(login))
        .route("/v1/products", get(list_products))
        .route("/v1/products/{id}", get(read_product).put(set_stock))
        .route("/v1/orders", post(create_order))
        .route("/v1/orders/{id}", get(read_order).delete(cancel_order))
        .route("/v1/payments", post(pay))
        .route("/v1/admin/users", get(list_users))
        .route("/v1/admin/reports", get(read_report))
        .layer(layer)
}

async fn login(Json(form): Json<Value>) -> Json<Value> {
    Json(json!({"welcome": form["username"]}))
}

async fn list_products() -> Json<Value> {
    Json(json!([{"id": 1, "name": "tea"}, {"id": 2, "name": "cup"}]))
}

async fn read_product(Path(id): Path<u64>) -> Json<Value> {
    Json(json!({"id": id, "name": "tea"}))
}

async fn set_stock(Path(id): Path<u64>, Json(stock): Json<Value>) -> Json<Value> {
    Json(json!({"id": id, "stock": stock["stock"]}))
}

async fn create_order(Extension(buyer): Extension<Identity>, Json(order): Json<Value>) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({"id": 42, "buyer": &*buyer.principal, "qty": order["qty"]})))
}

async fn read_order(Extension(buyer): Extension<Identity>, Path(id): Path<u64>) -> Json<Value> {
    Json(json!({"id": id, "buyer": &*buyer.principal}))
}

async fn cancel_order(Path(_): Path<u64>) -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn pay(Extension(buyer): Extension<Identity>, Json(payment): Json<Value>) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({"buyer": &*buyer.principal, "cents": payment["cents"]})))
}

async fn list_users() -> Json<Value> {
    Json(json!(["anna", "ben"]))
}

async fn read_report() -> Json<Value> {
    Json(json!({"orders": 17}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::{Issuer, api_key};

    #[test]
    fn the_configuration_leaves_open_only_what_it_means_to() {
        let (issuer, (_, digest)) = (Issuer::new().unwrap(), api_key().unwrap());
        let engine = engine(&issuer.jwks().to_string(), &digest).unwrap();
        assert_eq!(engine.notices(), ["4 of 11 endpoints ask for no credential"]);
    }
}
