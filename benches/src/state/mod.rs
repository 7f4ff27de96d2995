//! Limits by key beside governor with its default store, and decisions, on one thread and on two.

mod bare;
mod keyed;
mod memory;
mod threads;

use std::hint::black_box;

use axum_shop::issuer::Algorithm;
use zt_benches::figure::Figure;
use zt_benches::fixture::{Fixture, NOW, SUBJECT};
use zt_core::limit::Phase;
use zt_core::model::Request;
use zt_core::{Engine, State};

use self::bare::Bare;
use self::keyed::{BYTES, Callers, Governor, Names, Peers, Zt};
use self::threads::throughputs;

/// Checks of one thread in a round.
const CHECKS: usize = 200_000;
const DECISIONS: usize = 30_000;

/// The table of `state`.
pub(crate) fn figures() -> Vec<Figure> {
    let mut figures = Vec::new();
    for live in [1_000, 1_000_000] {
        figures.extend(keyed::<Peers>("keyed check", live));
        figures.extend(keyed::<Names>("keyed check by name", live));
    }
    figures.extend(decisions());
    figures
}

fn keyed<C: Callers>(what: &str, live: usize) -> Vec<Figure> {
    let (zt, governor, bare) = (Zt::<C>::new(live), Governor::<C>::new(live), Bare::new::<C>(live));
    // Who comes, in the order in which they come: they lie in memory as requests do, and nobody waits to read them.
    let visits = || (0..2 * CHECKS).map(|visit| scattered(visit) % live);
    let (facts, keys): (Vec<_>, Vec<_>) = (visits().map(C::facts).collect(), visits().map(C::key).collect());
    let of_zt = |thread| of_thread(&facts, thread).is_some_and(|facts| zt.check_all(facts));
    let of_governor = |thread| {
        of_thread(&keys, thread).is_some_and(|keys| keys.iter().fold(true, |well, key| well & governor.check(key)))
    };
    let of_bare = |thread| {
        of_thread(&keys, thread).is_some_and(|keys| keys.iter().fold(true, |well, key| well & bare.check::<C>(key)))
    };
    let [zt_1, zt_2, governor_1, governor_2, bare_1] =
        throughputs(CHECKS, [(1, &of_zt), (2, &of_zt), (1, &of_governor), (2, &of_governor), (1, &of_bare)]);

    let ns = |per_s: f64| 1e9 / per_s;
    let of = |figure: String| format!("{figure}, {live} keys");
    let ratio = |value: f64, figure: String| Figure::new(of(figure), value, "ratio");
    let over_governor = |value: f64, figure: String| {
        let figure = ratio(value, figure);
        if live == 1_000_000 { figure.at_least(3.0) } else { figure }
    };
    let mut figures = vec![
        Figure::new(of(format!("{what}, 1 thread")), ns(zt_1), "ns")
            .beside(format!("governor {:.0} ns", ns(governor_1))),
        Figure::new(of(format!("{what}, 2 threads")), zt_2 / 1e6, "M/s")
            .beside(format!("governor {:.2} M/s", governor_2 / 1e6)),
        over_governor(zt_1 / governor_1, format!("{what} / governor's")),
        over_governor(zt_2 / governor_2, format!("{what} / governor's, 2 threads")),
        ratio(bare_1 / governor_1, format!("a bare map of SipHashes / governor's, for the {what}"))
            .beside(format!("{:.0} ns, without bound or answer", ns(bare_1))),
        ratio(zt_2 / zt_1, format!("{what}, 2 threads / 1"))
            .at_least(1.6)
            .beside(format!("governor {:.2}", governor_2 / governor_1)),
    ];
    if live == 1_000_000 {
        let (bytes, known) = zt.bytes_per_key();
        let bytes = Figure::new(format!("{what}, bytes a live key"), bytes, "B").at_most(40.0);
        figures.push(bytes.beside(format!("{known} known at once")));
        if C::PHASE == Phase::Peer {
            figures.push(Figure::new("a random read among as many bytes", memory::random_read(BYTES), "ns"));
        }
    }
    figures
}

#[allow(clippy::panic, reason = "a benchmark without its subject is nothing")]
/// The whole decision; on two threads for two callers, each from an address of their own. Beside it what this machine gives
/// to two threads that share nothing: the same decisions, each with an engine and a state of its own.
fn decisions() -> Vec<Figure> {
    let fixture = Fixture::new();
    let apart = [0, 1].map(|_| {
        let engine = Engine::from_toml(&fixture.config, &[]).unwrap_or_else(|invalid| panic!("{invalid}"));
        (State::new(&engine), engine)
    });
    let tokens = [SUBJECT, "user-18"].map(|subject| format!("Bearer {}", fixture.token_of(Algorithm::Es256, subject)));
    let [token, other_token] = &tokens;
    let pairs = [
        ("API key", [("X-API-Key", fixture.api_key.as_str()), ("X-API-Key", &fixture.other_api_key)]),
        ("repeated token", [("Authorization", token.as_str()), ("Authorization", other_token)]),
    ];
    pairs
        .into_iter()
        .flat_map(|(what, credentials)| {
            let mut requests = credentials.map(Fixture::request);
            for (number, request) in requests.iter_mut().enumerate() {
                request.peer.ip = Some([203, 0, 113, number as u8].into());
            }
            let passes = |engine: &Engine, state: &State, request: &Request<'_>| {
                engine.decide(state, black_box(request), NOW).outcome.passes()
            };
            let all = |engine: &Engine, state: &State, request: &Request<'_>| {
                (0..DECISIONS).fold(true, |well, _| well & passes(engine, state, request))
            };
            let shared = |request| all(&fixture.engine, &fixture.state, request);
            let own = |thread: usize| requests.get(thread).is_some_and(shared);
            let same = |_: usize| requests.first().is_some_and(shared);
            let alone = |thread: usize| {
                let of_its_own = apart.get(thread).zip(requests.get(thread));
                of_its_own.is_some_and(|((state, engine), request)| all(engine, state, request))
            };
            let [one, two, of_one, one_alone, two_alone] =
                throughputs(DECISIONS, [(1, &own), (2, &own), (2, &same), (1, &alone), (2, &alone)]);
            let ceiling = two_alone / one_alone;
            let on_two = Figure::new(format!("decide, {what}, 2 threads / 1"), two / one, "ratio").at_least(1.7);
            [
                Figure::new(format!("decide, {what}, 1 thread"), 1e6 / one, "us"),
                on_two.beside(format!("nothing shared {ceiling:.2}")),
                Figure::new(format!("decide, {what}, both threads for one caller"), of_one / one, "ratio"),
            ]
        })
        .collect()
}

/// The visits of one thread.
fn of_thread<T>(visits: &[T], thread: usize) -> Option<&[T]> {
    visits.chunks(CHECKS).nth(thread)
}

/// The finaliser of SplitMix64: the keys' order is as good as random.
fn scattered(number: usize) -> usize {
    let mut z = (number as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as usize
}
