//! Headers that proxies write, with any bytes: what follows a proxy's own line, or what a proxy wrote on
//! the client's, is that alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zt_core::base::forwarded::{Form, address};

fuzz_target!(|input: (Vec<&[u8]>, u8)| {
    let (lines, hops) = input;
    let hops = usize::from(hops % 8);
    for (form, line) in [(Form::List, &b"192.0.2.60"[..]), (Form::Forwarded, b"for=192.0.2.60")] {
        let _ = address(form, lines.iter().copied(), hops);
        let behind_a_proxy = [line].into_iter().chain(lines.iter().copied());
        assert_eq!(address(form, behind_a_proxy.clone(), 1), "192.0.2.60".parse().ok());
        assert_eq!(address(form, behind_a_proxy, hops + 2), address(form, lines.iter().copied(), hops + 1));
        for client in &lines {
            let joined = [*client, b",", line].concat();
            assert_eq!(address(form, [&joined[..]], 1), "192.0.2.60".parse().ok());
        }
    }
});
