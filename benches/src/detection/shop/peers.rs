//! What is cheap to have instead: counts of each client's requests.

use std::collections::{HashMap, VecDeque};

use zt_core::model::{Millis, Request};

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
/// Requests a minute that the limit allows.
pub(super) const ALLOWED: f64 = 100.0;

/// By their place in what is scored.
pub(super) const PEERS: [&str; 2] = ["requests of a client in a minute", "hourly z-score of a client"];

/// Everybody who made a request: a subject, or an address where nobody is named.
#[derive(Default)]
pub(super) struct Clients {
    numbers: HashMap<String, usize>,
    counts: Vec<Counts>,
}

#[derive(Default)]
struct Counts {
    minute: VecDeque<Millis>,
    hours: Hours,
}

/// Mean and deviation of the hours that are over, those without requests too, and the requests of the one that is not.
#[derive(Default)]
struct Hours {
    current: Option<Millis>,
    requests: f64,
    over: f64,
    mean: f64,
    squares: f64,
}

impl Clients {
    pub(super) fn number(&mut self, request: &Request<'_>) -> usize {
        let address = || request.peer.ip.map(|ip| ip.to_string()).unwrap_or_default();
        let name = request.subject.as_deref().map_or_else(address, |subject| format!("subject {subject}"));
        let next = self.numbers.len();
        *self.numbers.entry(name).or_insert(next)
    }

    /// One more request of a client.
    pub(super) fn score(&mut self, client: usize, now: Millis) -> [f64; PEERS.len()] {
        if client >= self.counts.len() {
            self.counts.resize_with(client + 1, Counts::default);
        }
        let Counts { minute, hours } = &mut self.counts[client];
        minute.push_back(now);
        while minute.front().is_some_and(|time| *time <= now - MINUTE) {
            minute.pop_front();
        }
        [minute.len() as f64, hours.push(now / HOUR)]
    }
}

impl Hours {
    /// Deviations above the mean, of at least one request each.
    fn push(&mut self, hour: Millis) -> f64 {
        let since = *self.current.get_or_insert(hour);
        for _ in since..hour {
            self.over += 1.0;
            let residual = self.requests - self.mean;
            self.mean += residual / self.over;
            self.squares += residual * (self.requests - self.mean);
            self.requests = 0.0;
        }
        self.current = Some(hour.max(since));
        self.requests += 1.0;
        let deviation = (self.squares / f64::max(self.over, 1.0)).sqrt();
        (self.requests - self.mean) / deviation.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_the_last_minute_and_deviations_of_the_hour() {
        let mut clients = Clients::default();
        for second in 0..59 {
            clients.score(0, second * 1_000);
        }
        assert_eq!(clients.score(0, 59_000)[0], 60.0);
        assert_eq!(clients.score(0, 60_000)[0], 60.0);
        assert_eq!(clients.score(0, 200_000)[0], 1.0);
        assert_eq!(clients.score(1, 200_000), [1.0, 1.0]);
        // Hours of 2, 0 and 4 requests, and one with the fifth: a mean of 2, a deviation of 1.63.
        let mut hours = Hours::default();
        let scores = [0, 0, 2, 2, 2, 2, 3, 3, 3, 3, 3].map(|hour| hours.push(hour));
        assert!((scores[10] - 3.0 / (8.0_f64 / 3.0).sqrt()).abs() < 1e-12, "{scores:?}");
    }
}
