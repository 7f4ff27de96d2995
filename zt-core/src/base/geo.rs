//! How far apart two places are.

use super::bytes::Reader;

/// Kilometres.
const EARTH_RADIUS: f64 = 6_371.0;

/// A position on earth, hundredths of a degree: latitude, longitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point([i16; 2]);

impl Point {
    /// From degrees; `None` where there is no such place.
    pub fn new(lat: f64, lon: f64) -> Option<Self> {
        let inside = lat.abs() <= 90.0 && lon.abs() <= 180.0;
        inside.then(|| Self([lat, lon].map(|degrees| (degrees * 100.0).round() as i16)))
    }

    /// As bytes, also that it is not known.
    pub fn write(point: Option<Self>, out: &mut Vec<u8>) {
        let parts = point.map_or([i16::MAX; 2], |point| point.0);
        parts.iter().for_each(|part| out.extend_from_slice(&part.to_le_bytes()));
    }

    /// From bytes; `None` inside where it is not known, and outside where there is no such place.
    pub fn read(reader: &mut Reader<'_>) -> Option<Option<Self>> {
        let [lat, lon] = [reader.take()?, reader.take()?].map(i16::from_le_bytes);
        match [lat, lon] {
            [i16::MAX, i16::MAX] => Some(None),
            _ => (lat.unsigned_abs() <= 9_000 && lon.unsigned_abs() <= 18_000).then_some(Some(Self([lat, lon]))),
        }
    }
}

/// Along the great circle (haversine), on a sphere.
pub fn kilometres(a: Point, b: Point) -> u32 {
    let [[lat_a, lon_a], [lat_b, lon_b]] =
        [a, b].map(|point| point.0.map(|part| (f64::from(part) / 100.0).to_radians()));
    let half = |angle: f64| {
        let sine = libm::sin(angle / 2.0);
        sine * sine
    };
    let chord = half(lat_b - lat_a) + libm::cos(lat_a) * libm::cos(lat_b) * half(lon_b - lon_a);
    (2.0 * EARTH_RADIUS * libm::asin(chord.clamp(0.0, 1.0).sqrt())).round() as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lon: f64) -> Point {
        Point::new(lat, lon).unwrap()
    }

    #[test]
    fn known_distances() {
        let (paris, new_york, sydney) = (at(48.86, 2.35), at(40.71, -74.01), at(-33.87, 151.21));
        for (from, to, expected) in [(paris, new_york, 5_837), (paris, sydney, 16_960), (new_york, sydney, 15_989)] {
            assert!(kilometres(from, to).abs_diff(expected) <= 10, "{}", kilometres(from, to));
        }
        // Across the date line, and from pole to pole.
        assert_eq!(kilometres(at(0.0, 179.5), at(0.0, -179.5)), 111);
        assert_eq!(kilometres(at(90.0, 0.0), at(-90.0, 77.0)), 20_015);
    }

    #[test]
    fn no_such_place() {
        for (lat, lon) in [(90.01, 0.0), (0.0, -180.5), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(Point::new(lat, lon), None, "{lat} {lon}");
        }
        for [lat, lon] in [[9_001_i16, 0], [0, i16::MIN], [i16::MAX, 0]] {
            let bytes = [lat.to_le_bytes(), lon.to_le_bytes()].concat();
            assert_eq!(Point::read(&mut Reader::new(&bytes)), None, "{lat} {lon}");
        }
    }

    proptest! {
        #[test]
        fn a_distance_is_one(lat in -90.0..=90.0, lon in -180.0..=180.0, lat2 in -90.0..=90.0, lon2 in -180.0..=180.0) {
            let (a, b) = (at(lat, lon), at(lat2, lon2));
            prop_assert_eq!(kilometres(a, a), 0);
            prop_assert_eq!(kilometres(a, b), kilometres(b, a));
            prop_assert!(kilometres(a, b) <= 20_016);
            for point in [Some(a), None] {
                let mut bytes = Vec::new();
                Point::write(point, &mut bytes);
                prop_assert_eq!(Point::read(&mut Reader::new(&bytes)), Some(point));
            }
        }
    }
}
