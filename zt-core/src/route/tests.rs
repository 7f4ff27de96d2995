use super::*;
use proptest::prelude::*;

/// `METHOD /template` with marks behind it: `anonymous`, `login`, `id=...`.
fn endpoint(text: &str) -> EndpointConfig {
    let mut words = text.split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let mut endpoint = EndpointConfig { method, path, ..Default::default() };
    for word in words {
        match word {
            "anonymous" => endpoint.anonymous = true,
            "login" => endpoint.login = true,
            _ => endpoint.id = Some(word.strip_prefix("id=").unwrap().to_owned()),
        }
    }
    endpoint
}

fn compile(endpoints: &[&str], documents: &[&str]) -> Result<Router, Vec<Problem>> {
    let endpoints: Vec<_> = endpoints.iter().map(|text| endpoint(text)).collect();
    let documents: Vec<_> = documents
        .iter()
        .enumerate()
        .map(|(nth, text)| Source { key: format!("openapi[{nth}]"), name: None, text })
        .collect();
    Router::compile(&Config::default(), &endpoints, &[], &documents)
}

fn request<'a>(method: &'a str, path: &'a str) -> Request<'a> {
    Request { method: method.into(), path: path.into(), ..Default::default() }
}

/// The endpoint's id with its variables, or the code with the `Allow` header.
fn routed(router: &Router, target: &str) -> String {
    let (method, path) = target.split_once(' ').unwrap();
    match router.route(&request(method, path)) {
        Ok(found) => {
            let variables: Vec<_> = found.variables.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!("{}{}", found.endpoint.id, variables.concat())
        }
        Err(miss) => {
            format!("{}{}", miss.finding.code, miss.allow.map(|allow| format!(" [{allow}]")).unwrap_or_default())
        }
    }
}

fn check(endpoints: &[&str], cases: &[(&str, &str)]) {
    let router = compile(endpoints, &[]).unwrap();
    for (target, expected) in cases {
        assert_eq!(routed(&router, target), *expected, "{target} in {endpoints:?}");
    }
}

#[test]
fn more_specific_templates_win() {
    check(
        &["GET /a/{id}/x", "GET /a/b/y", "GET /a/{id}", "GET /a/me", "GET /a/{n}.json", "GET /a/v{n}.json", "GET /**"],
        &[
            ("GET /a/b/x", "GET /a/{id}/x id=b"),
            ("GET /a/b/y", "GET /a/b/y"),
            ("GET /a/c/y", "GET /**"),
            ("GET /a/me", "GET /a/me"),
            ("GET /a/Me", "route.ambiguous"),
            ("GET /a/x.json", "GET /a/{n}.json n=x"),
            ("GET /a/v1.json", "GET /a/v{n}.json n=1"),
            ("GET /a/.json", "GET /a/{id} id=.json"),
            ("GET /", "GET /**"),
            ("GET /a/b/x/z", "GET /**"),
        ],
    );
}

#[test]
fn values_are_decoded_once() {
    check(
        &["GET /a/{id}/{x}-{y}", "GET /caf%C3%A9/*/{last}"],
        &[
            ("GET /a/%7Bid%7D/%31-%2D", "GET /a/{id}/{x}-{y} id={id} x=1 y=-"),
            ("GET /%61/100%25/a-b-c", "GET /a/{id}/{x}-{y} id=100% x=a y=b-c"),
            ("GET /café/1/2", "GET /caf%C3%A9/*/{last} last=2"),
        ],
    );
}

#[test]
fn a_trailing_slash_counts_only_when_both_are_declared() {
    check(
        &["GET /a", "GET /b/", "GET /c", "GET /c/", "POST /d/", "GET /d", "GET /"],
        &[
            ("GET /a/", "GET /a"),
            ("GET /b", "GET /b/"),
            ("GET /c", "GET /c"),
            ("GET /c/", "GET /c/"),
            ("GET /d/", "GET /d"),
            ("POST /d", "POST /d/"),
            ("PUT /d", "route.method_not_allowed [GET, HEAD, POST]"),
            ("GET /", "GET /"),
        ],
    );
}

#[test]
fn methods_are_exact() {
    check(
        &["GET /a", "POST /a", "HEAD /b", "GET /b", "* /c", "PURGE /c", "DELETE /d"],
        &[
            ("HEAD /a", "GET /a"),
            ("HEAD /b", "HEAD /b"),
            ("get /a", "route.method_not_allowed [GET, HEAD, POST]"),
            ("PUT /a", "route.method_not_allowed [GET, HEAD, POST]"),
            ("HEAD /d", "route.method_not_allowed [DELETE]"),
            ("PURGE /c", "PURGE /c"),
            ("ANY /c", "* /c"),
            ("GET /nowhere", "route.unknown_endpoint"),
        ],
    );
    let router = compile(&["* /c"], &[]).unwrap();
    for method in ["", "G E T", "GET\r\n", "GÉT"] {
        let miss = router.route(&request(method, "/c")).unwrap_err();
        assert_eq!((miss.finding.code, miss.allow.as_deref()), (Code::RouteMethodNotAllowed, Some("")), "{method}");
    }
}

#[test]
fn a_path_that_another_router_gives_to_another_endpoint_is_refused() {
    check(
        &[
            "* /**",
            "GET /v1/admin",
            "POST /v1/Import",
            "GET /{x}/orders",
            "GET /public/orders",
            "GET /a/{n}.JSON",
            "GET /Z",
            "GET /z",
        ],
        &[
            ("GET /V1/admin", "route.ambiguous"),
            ("HEAD /v1/ADMIN/", "route.ambiguous"),
            ("GET /v1/%61dmin", "route.ambiguous"),
            ("GET /%7A", "route.ambiguous"),
            ("GET /caf%c3%a9%20", "* /**"),
            ("GET /v1/Admin/x", "* /**"),
            ("POST /v1/import", "route.ambiguous"),
            ("GET /Public/orders", "route.ambiguous"),
            ("GET /%70ublic/orders", "route.ambiguous"),
            ("GET /%50ublic/orders", "route.ambiguous"),
            ("GET /acme/orders", "GET /{x}/orders x=acme"),
            ("GET /ACME/orders", "GET /{x}/orders x=ACME"),
            ("GET /a/b.json", "route.ambiguous"),
            ("GET /Z", "GET /Z"),
            ("GET /z", "GET /z"),
        ],
    );
}

#[test]
fn any_method_counts_on_the_most_specific_path_only() {
    check(
        &["POST /admin", "* /**", "GET /users/me", "DELETE /users/{id}", "OPTIONS /**"],
        &[
            ("GET /other", "* /**"),
            ("GET /admin", "route.method_not_allowed [OPTIONS, POST]"),
            ("OPTIONS /admin", "OPTIONS /**"),
            ("DELETE /users/me", "DELETE /users/{id} id=me"),
            ("PUT /users/me", "route.method_not_allowed [DELETE, GET, HEAD, OPTIONS]"),
        ],
    );
    let router = compile(&["POST /admin", "* /**"], &[]).unwrap();
    assert_eq!(router.route(&request("GET", "/admin")).unwrap_err().template.as_deref(), Some("/admin"));
}

#[test]
#[cfg(feature = "compile")]
fn the_configuration_marks_operations() {
    let document = "
openapi: 3.0.3
security: []
paths:
  /login: {post: {operationId: login}, get: {operationId: form}}
  /orders/{id}: {get: {operationId: getOrder}, delete: {operationId: dropOrder}}
";
    let marks = ["* /login anonymous", "GET /login", "GET /orders/{order} anonymous id=order"];
    let router = compile(&marks, &[document]).unwrap();
    let found: Vec<_> = router.endpoints().iter().map(|e| (&*e.id, e.anonymous, e.operation.is_some())).collect();
    let operations = [("form", false, true), ("login", true, true), ("order", true, true), ("dropOrder", false, true)];
    assert_eq!(found, [&operations[..], &[("* /login", true, false)]].concat());
    assert_eq!(routed(&router, "GET /orders/7"), "order id=7");
}

#[test]
fn mistakes_are_found_all_at_once() {
    let endpoints =
        ["GET a", "get /b", "GET /c/{x}", "GET /c/{y}", "GET /d id=same", "GET /e id=same", "G@T /f", "GET /g/../h"];
    let endpoints: Vec<_> = endpoints.iter().map(|text| endpoint(text)).collect();
    let segment = |name: &str, paths: &[&str]| SegmentConfig {
        name: name.into(),
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
    };
    let segments = [segment("default", &[]), segment("s", &["/v1/**", "v2"]), segment("t", &["/v1/**"])];
    let config = Config { max_segments: 0, ..Config::default() };
    let problems = Router::compile(&config, &endpoints, &segments, &[]).unwrap_err();
    assert!(problems.iter().any(|problem| problem.key == "route.max_segments"));
    let problems = Router::compile(&Config::default(), &endpoints, &segments, &[]).unwrap_err();
    let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
    let expected = [
        "endpoint[0].path",
        "endpoint[1].method",
        "endpoint[3].path",
        "endpoint[6].method",
        "endpoint[7].path",
        "segment[0].name",
        "segment[1].paths[1]",
        "segment[2].paths[0]",
        "endpoint[5].id",
    ];
    assert_eq!(keys, expected, "{problems:#?}");
}

#[test]
fn the_most_specific_pattern_is_the_segment() {
    let segment = |name: &str, path: &str| SegmentConfig { name: name.into(), paths: vec![path.into()] };
    let segments =
        [segment("api", "/v1/**"), segment("payments", "/v1/payments/**"), segment("refunds", "/v1/*/refunds")];
    let endpoints = ["* /**", "GET /v1/payments/{id}", "GET /v1/{kind}"].map(endpoint);
    let router = Router::compile(&Config::default(), &endpoints, &segments, &[]).unwrap();
    let of_templates: Vec<_> = router.endpoints().iter().map(|endpoint| &*endpoint.segment).collect();
    assert_eq!(of_templates, ["default", "payments", "api"]);
    for (path, expected) in [
        ("/x", "default"),
        ("/v1", "api"),
        ("/v1/orders", "api"),
        ("/v1/payments", "payments"),
        ("/v1/payments/7/", "payments"),
        ("/v1/orders/refunds", "refunds"),
    ] {
        let request = request("GET", path);
        assert_eq!(&**router.route(&request).unwrap().segment, expected, "{path}");
    }
    let names: Vec<_> = router.segments().iter().map(|name| &**name).collect();
    assert_eq!(names, ["default", "api", "payments", "refunds"]);
}

/// The rules again, said differently: every template is tried, and the best of those that fit is taken.
fn naive(templates: &[Template], path: &Path<'_>) -> Option<usize> {
    type Rank = Vec<(u8, usize, Vec<Box<str>>)>;
    let fits = |template: &Template| -> Option<Rank> {
        let (mut rank, values) = (Vec::new(), path.segments().collect::<Vec<_>>());
        for (nth, segment) in template.segments.iter().enumerate() {
            let value = values.get(nth)?;
            rank.push(match segment {
                Segment::Literal(text) if **text == **value => (0, 0, Vec::new()),
                Segment::Pattern(pattern, _) if pattern.captures(value).is_some() => {
                    let (length, literals) = pattern.rank();
                    (1, usize::MAX - length.0, literals.to_vec())
                }
                Segment::Any(_) => (2, 0, Vec::new()),
                _ => return None,
            });
        }
        if template.segments.len() < values.len() && !template.tail {
            return None;
        }
        let end = if template.tail { 5 } else { u8::from(template.slash != path.trailing_slash) };
        rank.push((if template.segments.len() == values.len() { end } else { 3 }, 0, Vec::new()));
        Some(rank)
    };
    let ranked = templates.iter().enumerate().filter_map(|(at, template)| Some((fits(template)?, at)));
    ranked.min().map(|(_, at)| at)
}

fn segment_text() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "ab", "{x}", "{y}b", "a{z}", "{x}b{y}", "*"])
}

fn template_text() -> impl Strategy<Value = String> {
    (prop::collection::vec(segment_text(), 0..5), prop::sample::select(vec!["", "/", "/**"])).prop_map(
        |(segments, end)| match segments.is_empty() {
            true if end.len() < 3 => "/".to_owned(),
            _ => segments.iter().map(|segment| format!("/{segment}")).collect::<String>() + end,
        },
    )
}

fn path_text() -> impl Strategy<Value = String> {
    (prop::collection::vec("[ab]{1,3}", 0..6), prop::sample::select(vec!["", "/"])).prop_map(|(segments, end)| {
        match segments.is_empty() {
            true => "/".to_owned(),
            false => segments.iter().map(|segment| format!("/{segment}")).collect::<String>() + end,
        }
    })
}

proptest! {
    #[test]
    fn the_tree_is_the_naive_matcher(
        texts in prop::collection::vec(template_text(), 1..12),
        paths in prop::collection::vec(path_text(), 1..20),
    ) {
        let mut tree: Tree<Option<usize>> = Tree::new();
        let mut templates = Vec::new();
        for template in texts.iter().map(|text| Template::parse(text).unwrap()) {
            let entry = tree.entry(&template);
            if entry.is_none() {
                *entry = Some(templates.len());
                templates.push(template);
            }
        }
        for text in &paths {
            let path = normalise(text.as_bytes(), &Config::default()).unwrap();
            prop_assert_eq!(tree.find(&path, |at| *at), naive(&templates, &path), "{} {:?}", text, texts);
        }
    }

    #[test]
    fn encoding_unreserved_characters_leads_to_no_other_endpoint(path in path_text(), encoded: u64) {
        let router = compile(&["GET /a/{x}", "GET /{x}/b/{y}a", "GET /ab", "* /b/**"], &[]).unwrap();
        let mut other = String::new();
        for (nth, c) in path.chars().enumerate() {
            match c != '/' && encoded >> (nth % 64) & 1 == 1 {
                true => other.push_str(&format!("%{:02x}", u32::from(c))),
                false => other.push(c),
            }
        }
        let (plain, encoded) = (routed(&router, &format!("GET {path}")), routed(&router, &format!("GET {other}")));
        prop_assert!(encoded == plain || encoded == "route.ambiguous", "{} {}: {} {}", path, other, plain, encoded);
    }

    #[test]
    fn case_leads_to_no_other_endpoint(path in path_text(), upper: u64) {
        let router = compile(&["GET /a/{x}", "GET /{x}/b/{y}a", "GET /ab", "* /b/**"], &[]).unwrap();
        let raised = |(nth, c): (usize, char)| if upper >> (nth % 64) & 1 == 1 { c.to_ascii_uppercase() } else { c };
        let other: String = path.chars().enumerate().map(raised).collect();
        let endpoint = |target: &str| routed(&router, target).split(' ').take(2).collect::<Vec<_>>().join(" ");
        let (plain, other) = (endpoint(&format!("GET {path}")), endpoint(&format!("GET {other}")));
        let refused = ["route.ambiguous", "route.unknown_endpoint", "route.method_not_allowed"];
        prop_assert!(other == plain || refused.contains(&&*other), "{}: {} {}", path, plain, other);
    }

    #[test]
    fn any_request_routes_or_is_refused(method: Vec<u8>, path: Vec<u8>) {
        let router = compile(&["GET /a/{x}", "* /**", "POST /{x}.y/z/"], &[]).unwrap();
        let request = Request { method: method.into(), path: path.into(), ..Default::default() };
        let _ = router.route(&request);
    }
}
