use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn event() -> Event {
    serde_json::from_value(serde_json::json!({
        "id": "e-1", "time_ms": 0, "label": "normal",
        "request": {
            "method": "POST", "path": "/orders/4711/lines", "query": "page=3&sort=date%20up",
            "headers": [["Content-Type", "application/json"], ["User-Agent", "app/1.2"]],
            "body": "{\"items\":[{\"qty\":2,\"name\":\"tea\"}],\"note\":\"soon\"}",
        },
        "response": {"status": 200},
    }))
    .unwrap()
}

fn all(seed: u64) -> Vec<Planted> {
    Family::ALL.into_iter().filter_map(|family| plant(&event(), family, seed)).collect()
}

#[test]
fn every_family_changes_the_request_and_is_its_label() {
    let plain = serde_json::to_string(&event().request).unwrap();
    for seed in 0..200 {
        for planted in all(seed) {
            let text = serde_json::to_string(&planted.event.request).unwrap();
            assert_ne!(text, plain, "{:?}", planted.family);
            assert_eq!(planted.event.label.as_deref(), Some(planted.family.as_str()));
            assert_eq!(planted.event.id.as_deref(), Some(&*format!("e-1-{}", planted.family.as_str())));
            assert_eq!(serde_json::to_value(planted.family).unwrap(), planted.family.as_str());
            if let (Some(value), false) = (&planted.value, matches!(planted.slot, Some(Slot::Segment(_)))) {
                let places = planted.places(value, &Target::Path);
                let renamed = planted.family == Family::ParameterRenamed;
                assert!(!places.is_empty() || renamed, "{planted:?} {}", String::from_utf8_lossy(value));
            }
        }
    }
}

#[test]
fn the_same_seed_plants_the_same_and_others_plant_elsewhere() {
    let text =
        |seed| all(seed).iter().map(|planted| serde_json::to_string(&planted.event).unwrap()).collect::<Vec<_>>();
    assert_eq!(text(7), text(7));
    let sqli: BTreeSet<String> = (0..100).filter_map(|seed| text(seed).into_iter().next()).collect();
    assert!(sqli.len() > 60, "{}", sqli.len());
    let slots: BTreeSet<String> =
        (0..200).filter_map(|seed| Some(format!("{:?}", plant(&event(), Family::Sqli, seed)?.slot))).collect();
    assert_eq!(slots.len(), 7, "{slots:?}");
}

#[test]
fn a_request_without_values_has_no_place_for_most() {
    let mut event = event();
    event.request = Request { method: "GET".into(), path: "/".into(), ..Request::default() };
    let families: Vec<Family> = Family::ALL.into_iter().filter(|family| plant(&event, *family, 1).is_some()).collect();
    assert_eq!(families, [Family::ForcedBrowsing, Family::UnknownParameter]);
}

#[test]
fn an_element_of_an_array_has_no_name() {
    let mut event = event();
    event.request.query = None;
    event.request.body = Some(b"[\"a\",\"b\"]".to_vec().into());
    for seed in 0..50 {
        assert!(plant(&event, Family::ParameterRenamed, seed).is_none());
        assert!(plant(&event, Family::MissingParameter, seed).is_none());
    }
}

proptest! {
    #[test]
    fn anything_can_be_planted_into(path in "[/a-z0-9%&=.]{0,20}", query in "[/a-z0-9%&=.]{0,20}", body: Vec<u8>, json: bool, seed: u64) {
        let mut event = event();
        let kind = if json { "application/json" } else { "application/x-www-form-urlencoded" };
        event.request = Request {
            method: "POST".into(),
            path: path.into(),
            query: Some(query.into()),
            headers: vec![("content-type".into(), kind.into())],
            body: Some(body.into()),
            ..Request::default()
        };
        for family in Family::ALL {
            let _ = plant(&event, family, seed);
        }
    }
}
