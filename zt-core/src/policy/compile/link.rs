//! Templates, and the policies that `[[policy.link]]` makes of them.

use std::collections::BTreeMap;

use cedar_policy::EntityUid;
use cedar_policy::ffi::DetailedError;
use cedar_policy::pst::{EntityOrSlot, PrincipalConstraint, ResourceConstraint, Template};

use crate::model::Problem;
use crate::policy::Link;
use crate::policy::vocabulary::Vocabulary;

use super::annotation::id_problem;
use super::builder::Slots;
use super::diagnose::cut;
use super::limits::{PROBLEMS_MAX, linked_problem, more_mistakes};
use super::scan::check_depth;
use super::{Parsed, is_known};

/// What a slot is called, in Cedar and in a link.
pub(super) const PRINCIPAL: &str = "principal";
pub(super) const RESOURCE: &str = "resource";

const OF_A_POLICY: &str = "a policy has";
/// Templates whose names are compared with one that there is not.
const NEAR_MAX: usize = 1_000;

/// A link whose template is known, and whose slots are filled as the template wants.
#[derive(Clone, Debug)]
pub(super) struct Linked {
    /// Place among the links of the configuration.
    pub(super) at: usize,
    pub(super) id: String,
    /// Place among the templates.
    pub(super) template: usize,
    pub(super) principal: Option<EntityUid>,
    pub(super) resource: Option<EntityUid>,
}

impl Linked {
    pub(super) fn slots(&self) -> Slots {
        let name = |uid: &EntityUid| (uid.type_name().to_string(), uid.id().unescaped().to_owned());
        Slots { principal: self.principal.as_ref().map(name), resource: self.resource.as_ref().map(name) }
    }
}

/// The key of a link.
pub(super) fn key(at: usize) -> String {
    format!("policy.link[{at}]")
}

/// Which slots a template has: principal, resource.
pub(crate) fn slots_of(template: &Template) -> [bool; 2] {
    let slot = |uid: &EntityOrSlot| matches!(uid, EntityOrSlot::Slot(_));
    let principal = match &template.principal {
        PrincipalConstraint::Eq(uid) | PrincipalConstraint::In(uid) | PrincipalConstraint::IsIn(_, uid) => slot(uid),
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => false,
    };
    let resource = match &template.resource {
        ResourceConstraint::Eq(uid) | ResourceConstraint::In(uid) | ResourceConstraint::IsIn(_, uid) => slot(uid),
        ResourceConstraint::Any | ResourceConstraint::Is(_) => false,
    };
    [principal, resource]
}

/// Finds the template of each link and fills its slots; every mistake by its key.
pub(super) fn resolve(
    links: &[Link],
    templates: &[Parsed<'_>],
    policies: &[Parsed<'_>],
    vocabulary: &Vocabulary<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Linked> {
    let mut bytes = 0_usize;
    let known = problems.len();
    let by_name: BTreeMap<&str, usize> = templates.iter().enumerate().map(|(at, t)| (t.id.as_str(), at)).collect();
    let mut names: BTreeMap<&str, String> =
        policies.iter().map(|policy| (policy.id.as_str(), OF_A_POLICY.to_owned())).collect();
    let mut linked = vec![false; templates.len()];
    let mut resolved = Vec::new();
    for (at, link) in links.iter().enumerate() {
        if problems.len().saturating_sub(known) >= PROBLEMS_MAX {
            problems.push(more_mistakes("policy.link"));
            return Vec::new();
        }
        let key = key(at);
        problems.extend(id_problem("id", &link.id).map(|message| Problem::new(format!("{key}.id"), message)));
        if let Some(other) = names.insert(&link.id, format!("`{key}` has")) {
            let problem = Problem::new(format!("{key}.id"), format!("{other} the name `{}` too", cut(&link.id)));
            problems.push(problem.mend("give each policy a name of its own"));
        }
        let Some(template) = by_name.get(&*link.template).copied() else {
            let slotless = names.get(&*link.template).is_some_and(|whose| whose == OF_A_POLICY);
            problems.push(unknown_template(&key, link, &by_name, slotless));
            continue;
        };
        if let Some(linked) = linked.get_mut(template) {
            *linked = true;
        }
        bytes = bytes.saturating_add(templates.get(template).map_or(0, |parsed| parsed.place.range.len()));
        if let Some(problem) = linked_problem("policy.link", bytes) {
            problems.push(problem);
            return Vec::new();
        }
        let [principal, resource] = templates.get(template).map_or([false; 2], |parsed| slots_of(&parsed.template));
        let mut fill = |slot: &str, wanted: bool, value: Option<&str>| {
            let filled = fill(&link.template, slot, wanted, value, vocabulary);
            filled.map_err(|problem| problems.push(problem.under(&key)))
        };
        let principal = fill(PRINCIPAL, principal, link.principal.as_deref());
        let resource = fill(RESOURCE, resource, link.resource.as_deref());
        if let (Ok(principal), Ok(resource)) = (principal, resource) {
            resolved.push(Linked { at, id: link.id.clone(), template, principal, resource });
        }
    }
    for (template, _) in templates.iter().zip(linked).filter(|(_, linked)| !linked).take(PROBLEMS_MAX) {
        let slot = if slots_of(&template.template)[0] { PRINCIPAL } else { RESOURCE };
        let problem = template.place.problem(&format!("?{slot}"), "a template, which nothing links");
        problems.push(problem.mend(format!(
            "link it: `[[policy.link]]` with `template = \"{}\"`, or write a policy without slots",
            cut(&template.id)
        )));
    }
    resolved
}

fn unknown_template(key: &str, link: &Link, known: &BTreeMap<&str, usize>, slotless: bool) -> Problem {
    let key = format!("{key}.template");
    if slotless {
        let problem = Problem::new(key, format!("`{}` is a policy without slots", cut(&link.template)));
        return problem.mend("leave the link out, or write `?principal` or `?resource` in its scope");
    }
    let problem = Problem::new(key, format!("there is no template with the name `{}`", cut(&link.template)));
    let near = known.keys().take(NEAR_MAX).map(|name| (strsim::jaro_winkler(&link.template, name), *name));
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((similarity, name)) if similarity > 0.8 => problem.mend(format!("did you mean `{name}`?")),
        Some((_, name)) => problem.mend(format!("name one by its `@id`, such as `{}`", cut(name))),
        None => problem.mend("write one with an `@id`, and `?principal` or `?resource` in its scope"),
    }
}

/// The entity for a slot, where the template has the slot.
fn fill(
    template: &str,
    slot: &str,
    wanted: bool,
    value: Option<&str>,
    vocabulary: &Vocabulary<'_>,
) -> Result<Option<EntityUid>, Problem> {
    let template = cut(template);
    let example = if slot == PRINCIPAL { "User::\"anna\"" } else { "Segment::\"orders\"" };
    match (wanted, value) {
        (false, None) => Ok(None),
        (false, Some(_)) => {
            let problem = Problem::new(slot, format!("the template `{template}` has no slot `?{slot}`"));
            Err(problem.mend("leave it out"))
        }
        (true, None) => {
            let problem = Problem::new(slot, format!("nothing for the slot `?{slot}` of the template `{template}`"));
            Err(problem.mend(format!("write `{slot} = '{example}'`")))
        }
        (true, Some(text)) => {
            let problem = |message: String| Problem::new(slot, message);
            if !check_depth(text) {
                return Err(problem("nested too deep for the name of an entity".to_owned()));
            }
            let uid = text.parse::<EntityUid>().map_err(|error| {
                let why = DetailedError::from(&error).message;
                problem(format!("`{}` is not an entity: {}", cut(text), cut(&why)))
                    .mend(format!("write it as in a policy, in single quotes: `'{example}'`"))
            })?;
            let (ty, id) = (uid.type_name().to_string(), uid.id().unescaped());
            if is_known(&ty, id, vocabulary) {
                Ok(Some(uid))
            } else {
                Err(problem(format!("there is no `{}` in this configuration", cut(text))))
            }
        }
    }
}
