//! Keyed tables that cannot grow past their capacity.
