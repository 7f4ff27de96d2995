use super::*;

fn config(id: &str, key: &str) -> ApiKeyConfig {
    ApiKeyConfig {
        id: id.into(),
        sha256: Some(sha256(key)),
        hmac_sha256: None,
        roles: vec!["partner".into()],
        scopes: vec![],
        networks: vec![],
        expires: None,
    }
}

fn compile(configs: &[ApiKeyConfig]) -> (ApiKeys, Vec<String>) {
    let mut problems = Vec::new();
    let keys = ApiKeys::compile(&Config { api_key: configs.to_vec(), ..Config::default() }, &mut problems);
    (keys, problems.into_iter().map(|problem| problem.key).collect())
}

#[test]
fn a_key_is_known_by_its_digest() {
    let configs: Vec<_> = (0..50).map(|n| config(&format!("c{n}"), &format!("key-{n}"))).collect();
    let (keys, problems) = compile(&configs);
    assert!(problems.is_empty());
    for n in 0..50 {
        let identity = keys.identify(format!("key-{n}").as_bytes(), None, 0).unwrap();
        assert_eq!((&*identity.principal, &*identity.roles[0]), (&*format!("c{n}"), "partner"));
    }
    for other in ["", "key-50", "key-1 ", &sha256("key-0"), &"k".repeat(513)] {
        assert_eq!(keys.identify(other.as_bytes(), None, 0).unwrap_err().0, Code::VerifyUnknownApiKey);
    }
}

#[test]
fn keys_expire() {
    let (keys, _) = compile(&[ApiKeyConfig { expires: Some("2027-01-31".into()), ..config("a", "k") }]);
    let at = 1_801_353_600_000;
    assert!(keys.identify(b"k", None, at - 1).is_ok());
    assert_eq!(keys.identify(b"k", None, at).unwrap_err().0, Code::VerifyExpired);
}

#[test]
fn the_form_is_checked_before_the_lookup() {
    let live = generate("zt_live", &[1; 32]).unwrap();
    let other = [generate("zt_live", &[2; 32]).unwrap(), generate("zt_test", &[1; 32]).unwrap()];
    let mut problems = Vec::new();
    // Even a key that an entry has is refused when its form is not due here.
    let api_key = vec![config("a", &live), config("b", &other[1]), config("c", "plain"), config("d", &live[..36])];
    let config = Config { api_key, api_key_prefix: Some("zt_live".into()), ..Config::default() };
    let keys = ApiKeys::compile(&config, &mut problems);
    assert!(problems.is_empty());
    let code = |key: &str| keys.identify(key.as_bytes(), None, 0).map(|it| it.principal.to_string()).map_err(|e| e.0);
    assert_eq!(code(&live), Ok("a".to_owned()));
    assert_eq!(code(&other[0]), Err(Code::VerifyUnknownApiKey));
    for malformed in [&*other[1], "plain", &live[..36], &live.to_uppercase(), &format!("{live}0"), "\u{e9}"] {
        assert_eq!(code(malformed), Err(Code::VerifyMalformedApiKey), "{malformed}");
    }
}

#[test]
fn networks_are_kept() {
    let networks = vec!["10.0.0.0/8".into(), "2001:db8::/32".into()];
    let (keys, problems) = compile(&[ApiKeyConfig { networks, ..config("a", "k") }, config("b", "free")]);
    assert!(problems.is_empty());
    let from = |key: &str, ip: Option<&str>| {
        keys.identify(key.as_bytes(), ip.map(|ip| ip.parse().unwrap()), 0).map(drop).map_err(|refusal| refusal.0)
    };
    for ip in ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7"] {
        assert_eq!(from("k", Some(ip)), Ok(()), "{ip}");
    }
    for ip in [Some("11.0.0.1"), Some("2001:db9::"), Some("::a00:1"), None] {
        assert_eq!(from("k", ip), Err(Code::VerifyNetworkRefused), "{ip:?}");
    }
    assert_eq!(from("free", None), Ok(()));
}

#[test]
fn a_pepper_takes_part_in_the_digest() {
    let pepper = Secret::from("a pepper of some length");
    let peppered = |id: &str, key: &str| ApiKeyConfig {
        sha256: None,
        hmac_sha256: Some(hmac_sha256(&pepper, key)),
        ..config(id, key)
    };
    let mut problems = Vec::new();
    let with = |api_key, api_key_pepper| Config { api_key, api_key_pepper, ..Config::default() };
    let both = with(vec![peppered("a", "k"), config("b", "plain")], Some(pepper.clone()));
    let keys = ApiKeys::compile(&both, &mut problems);
    assert!(problems.is_empty());
    for (key, id) in [("k", "a"), ("plain", "b")] {
        assert_eq!(&*keys.identify(key.as_bytes(), None, 0).unwrap().principal, id);
    }
    assert_eq!(keys.identify(b"x", None, 0).unwrap_err().0, Code::VerifyUnknownApiKey);
    let other = with(vec![peppered("a", "k")], Some("another pepper of some length".into()));
    let keys = ApiKeys::compile(&other, &mut problems);
    assert_eq!(keys.identify(b"k", None, 0).unwrap_err().0, Code::VerifyUnknownApiKey);
    assert!(!format!("{both:?} {keys:?}").contains("of some length"));

    let problems_of = |config: &Config| {
        let mut problems = Vec::new();
        ApiKeys::compile(config, &mut problems);
        problems.into_iter().map(|problem| problem.key).collect::<Vec<_>>()
    };
    assert_eq!(problems_of(&with(vec![peppered("a", "k")], None)), ["verify.api_key[0].hmac_sha256"]);
    assert_eq!(problems_of(&with(vec![peppered("a", "")], Some(pepper.clone()))), ["verify.api_key[0].hmac_sha256"]);
    assert_eq!(problems_of(&with(vec![config("a", "k")], Some(pepper.clone()))), ["verify.api_key_pepper"]);
    assert_eq!(problems_of(&with(vec![], Some("short".into()))), ["verify.api_key_pepper"]);
    let twice = ApiKeyConfig { sha256: Some(sha256("k")), ..peppered("a", "k") };
    assert_eq!(problems_of(&with(vec![twice], Some(pepper.clone()))), ["verify.api_key[0].hmac_sha256"]);
    let none = ApiKeyConfig { sha256: None, networks: vec!["10.0.0.1/8".into()], ..config("a", "k") };
    assert_eq!(problems_of(&with(vec![none], None)), ["verify.api_key[0].networks", "verify.api_key[0].sha256"]);
    let prefix = Config { api_key_prefix: Some("zt-live".into()), ..Config::default() };
    assert_eq!(problems_of(&prefix), ["verify.api_key_prefix"]);
}

#[test]
fn mistakes_are_told_at_once() {
    let (_, problems) = compile(&[
        ApiKeyConfig { id: String::new(), ..config("", "a") },
        ApiKeyConfig { sha256: Some("ab".into()), expires: Some("tomorrow".into()), ..config("b", "b") },
        config("c", "c"),
        config("d", "c"),
        config("e", ""),
    ]);
    let expected = ["[0].id", "[1].expires", "[1].sha256", "[4].sha256", "[3].sha256"];
    assert_eq!(problems, expected.map(|key| format!("verify.api_key{key}")));
}
