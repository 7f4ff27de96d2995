//! Compiled expressions as text: read again, they are the same.

use super::differential::{Dice, declarations, policies};
use super::*;

#[test]
fn what_is_printed_compiles_to_the_same_expressions() {
    let mut dice = Dice(7);
    for _ in 0..300 {
        let text = policies(&mut dice);
        let config = Config { context: declarations(), ..Config::default() };
        let compiled = compile::unvalidated(&config, &text, &vocabulary()).unwrap();
        let program = &compiled.0.program;
        for rule in &program.rules {
            let Some(body) = rule.body else { continue };
            let printed = program.print(body);
            let again = format!("permit(principal, action, resource) when {{ {printed} }};");
            let again = compile::unvalidated(&config, &again, &vocabulary());
            let again = again.unwrap_or_else(|problems| panic!("{}\n{printed}\n{problems:?}", rule.origin.text));
            let again = &again.0.program;
            assert_eq!(again.print(again.rules[0].body.unwrap()), printed, "{}", rule.origin.text);
        }
    }
}

#[test]
fn brackets_stand_where_they_are_needed() {
    for text in [
        "context.risk < 500",
        "context has acr && context.acr == \"mfa\"",
        "context has owner && context.owner == context.subject",
        "!(context.hour < 8 || context.hour >= 18)",
        "(if context.risk > 5 then 1 else 2) * (3 + 4) == -(1)",
        "1 - (2 - 3) - 4 == 0",
        "[1, 2].contains(context.hour)",
        "principal in Role::\"a \\\"b\\\"\"",
        "context.method like \"G*\\*\"",
        "{\"a\": 1}.a == 1",
        "{\"a b\": 1}[\"a b\"] == 1 || {\"if\": 1} has \"if\" || {\"a\": 1} has a",
    ] {
        let policy = format!("permit(principal, action, resource) when {{ {text} }};");
        let config = Config { context: declarations(), ..Config::default() };
        let compiled = compile::unvalidated(&config, &policy, &vocabulary()).unwrap();
        let program = &compiled.0.program;
        assert_eq!(program.print(program.rules[0].body.unwrap()), text);
    }
}

#[test]
fn a_policy_knows_where_it_was_written() {
    let policy =
        compile("permit(principal, action, resource);\n  // b\n  @id(\"b\") forbid(principal, action, resource);")
            .unwrap();
    let origin = &policy.0.program.rules[1].origin;
    assert_eq!((origin.file.as_deref(), origin.line, origin.column), (None, 3, 3));
    assert_eq!(&*origin.text, "@id(\"b\") forbid(principal, action, resource);");
}
