//! How many different clients there were: a HyperLogLog (Flajolet, Fusy, Gandouet and Meunier 2007) of 256 registers, a standard
//! error of 6.5 %; few are counted linearly (Whang, Vander-Zanden and Taylor 1990).

use crate::base::bytes::Reader;
use crate::base::generations::Kept;
use crate::base::math;

const REGISTERS: usize = 256;
/// Bits of a hash that choose the register.
const CHOICE: u32 = 8;

/// Different hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clients(Box<[u8; REGISTERS]>);

impl Default for Clients {
    fn default() -> Self {
        Self(Box::new([0; REGISTERS]))
    }
}

impl Clients {
    /// Bytes on the heap.
    pub(super) const MEMORY: usize = REGISTERS;

    pub(super) fn add(&mut self, hash: u64) {
        let register = (hash >> (u64::BITS - CHOICE)) as usize;
        let zeros = (hash << CHOICE | 1).leading_zeros().saturating_add(1);
        if let Some(most) = self.0.get_mut(register) {
            *most = (*most).max(u8::try_from(zeros).unwrap_or(u8::MAX));
        }
    }

    /// How many there were.
    pub(super) fn number(&self) -> u64 {
        let registers = REGISTERS as f64;
        // Powers of two are exact, and so is their sum in any order.
        let share = |most: &u8| 1.0 / (1_u64 << u32::from(*most).min(63)) as f64;
        let raw = 0.7213 / (1.0 + 1.079 / registers) * registers * registers / self.0.iter().map(share).sum::<f64>();
        let empty = self.0.iter().filter(|most| **most == 0).count();
        let few = empty > 0 && raw <= 2.5 * registers;
        let number = if few { registers * math::ln(registers / empty as f64) } else { raw };
        (number + 0.5) as u64
    }
}

impl Kept for Clients {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&*self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self(Box::new(reader.take()?)))
    }

    fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(own, other)| *own = (*own).max(*other));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::keyed::Keyed;

    #[test]
    fn each_counts_once_and_the_number_is_near() {
        let keyed = Keyed::new(7);
        let mut clients = Clients::default();
        assert_eq!(clients.number(), 0);
        for number in 1..=100_000_u64 {
            clients.add(keyed.bytes(&number.to_le_bytes()));
            clients.add(keyed.bytes(&(number / 2 + 1).to_le_bytes()));
            if [1, 10, 100, 300, 1_000, 10_000, 100_000].contains(&number) {
                let off = clients.number().abs_diff(number);
                assert!(off <= number / 7, "{number}: {}", clients.number());
            }
        }
    }
}
