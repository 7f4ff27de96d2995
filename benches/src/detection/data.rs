//! Recorded traffic, cut by its order: what was recorded first is learned, the rest is tested.

use std::io::BufRead as _;

use flate2::read::GzDecoder;
use zt_core::model::Event;

use crate::verify::data;

pub(super) const CSIC: &str = "CSIC";
pub(super) const ATRDF: &str = "ATRDF";
pub(super) const FUR_API: &str = "FUR-API";
/// CSIC, with attacks among what is learned.
pub(super) const CONTAMINATED: &str = "CSIC, 1 % attacks";

/// Every split; `benches/peers/detection` cuts the same.
pub(super) const NAMES: [&str; 4] = [CSIC, ATRDF, FUR_API, CONTAMINATED];

const NORMAL: &str = "normal";
/// Normal requests before each attack that is learned.
const BETWEEN: usize = 100;
/// From one learned attack to the next in the file, whose neighbours are twins.
const STRIDE: usize = 37;

/// What is learned and what is tested.
pub(super) struct Split {
    pub(super) name: &'static str,
    pub(super) learned: Vec<Event>,
    pub(super) tested: Vec<Event>,
}

impl Split {
    /// # Errors
    /// Where the recordings are not there or are none.
    pub(super) fn load(name: &'static str) -> Result<Self, String> {
        let (learned, tested) = match name {
            ATRDF => by_order(read("atrdf")?),
            FUR_API => by_order(read("fur_api")?),
            _ => {
                let attacks = read("csic_dev_attack")?;
                let (normal, tested) = (read("csic_train_normal")?, read("csic_dev_normal")?);
                let (learned, attacks) =
                    if name == CONTAMINATED { contaminated(normal, attacks) } else { (normal, attacks) };
                (learned, tested.into_iter().chain(attacks).collect())
            }
        };
        Ok(Self { name, learned, tested })
    }
}

/// `normal`, or the attack's family.
pub(super) fn label(event: &Event) -> &str {
    event.label.as_deref().unwrap_or(NORMAL)
}

pub(super) fn is_attack(label: &str) -> bool {
    label != NORMAL
}

/// Of CSIC, the normal requests that are learned and those that are tested.
///
/// # Errors
/// Where the recordings are not there or are none.
pub(crate) fn normal() -> Result<(Vec<Event>, Vec<Event>), String> {
    Ok((read("csic_train_normal")?, read("csic_dev_normal")?))
}

/// The normal ones of the first 60 %, and the rest.
fn by_order(mut events: Vec<Event>) -> (Vec<Event>, Vec<Event>) {
    let tested = events.split_off(events.len() * 6 / 10);
    events.retain(|event| !is_attack(label(event)));
    (events, tested)
}

/// An attack behind every hundred normal requests, and the attacks that are left.
fn contaminated(normal: Vec<Event>, attacks: Vec<Event>) -> (Vec<Event>, Vec<Event>) {
    let count = attacks.len();
    let mut attacks: Vec<Option<Event>> = attacks.into_iter().map(Some).collect();
    let mut learned = Vec::new();
    for (number, event) in normal.into_iter().enumerate() {
        learned.push(event);
        if (number + 1) % BETWEEN == 0 && count > 0 {
            let picked = number / BETWEEN * STRIDE % count;
            learned.extend(attacks.get_mut(picked).and_then(Option::take));
        }
    }
    (learned, attacks.into_iter().flatten().collect())
}

fn read(name: &str) -> Result<Vec<Event>, String> {
    let event = |line: Result<String, String>| {
        serde_json::from_str(&line?).map_err(|error| format!("{}: {error}", file(name).display()))
    };
    lines(name)?.map(event).collect()
}

/// Of a recording, one event each.
///
/// # Errors
/// Where it is not there.
pub(super) fn lines(name: &str) -> Result<impl Iterator<Item = Result<String, String>> + use<>, String> {
    let path = file(name);
    let told = move |error: std::io::Error| format!("{}: {error}", path.display());
    let file = std::fs::File::open(file(name)).map_err(&told)?;
    Ok(std::io::BufReader::new(GzDecoder::new(file)).lines().map(move |line| line.map_err(&told)))
}

fn file(name: &str) -> std::path::PathBuf {
    data().join(format!("traffic/{name}.jsonl.gz"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(label: &str, count: usize) -> Vec<Event> {
        let one = |number| {
            let text = format!(
                r#"{{"id":"{label}-{number}","time_ms":0,"request":{{"method":"GET","path":"/"}},"label":"{label}"}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        (0..count).map(one).collect()
    }

    fn ids(events: &[Event]) -> Vec<&str> {
        events.iter().filter_map(|event| event.id.as_deref()).collect()
    }

    #[test]
    fn learned_attacks_are_not_tested() {
        let (learned, left) = contaminated(events("normal", 399), events("sqli", 50));
        assert_eq!(learned.len(), 402);
        let attacks: Vec<_> = learned.iter().enumerate().filter(|(_, event)| is_attack(label(event))).collect();
        assert_eq!(attacks.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [100, 201, 302]);
        let picked: Vec<Event> = attacks.into_iter().map(|(_, event)| event.clone()).collect();
        assert_eq!(ids(&picked), ["sqli-0", "sqli-37", "sqli-24"]);
        assert_eq!(left.len(), 47);
        assert!(ids(&left).iter().all(|id| !ids(&picked).contains(id)));
    }

    #[test]
    fn the_first_of_a_recording_are_learned_without_attacks() {
        let mixed = events("normal", 4).into_iter().chain(events("sqli", 3)).chain(events("normal", 4));
        let (learned, tested) = by_order(mixed.collect());
        assert_eq!(ids(&learned), ["normal-0", "normal-1", "normal-2", "normal-3"]);
        assert_eq!(ids(&tested), ["sqli-2", "normal-0", "normal-1", "normal-2", "normal-3"]);
    }
}
