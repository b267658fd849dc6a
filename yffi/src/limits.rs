//! What a document accepts at most.

/// Limits on what updates may bring into a document. Zero stands for the default.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct YffiLimits {
    /// The length of an update in bytes.
    pub update_bytes: u64,
    /// How deep a plain value may nest; at most 256. yrs decodes recursively and would run out of stack.
    pub value_depth: u32,
    /// How deep shared types may nest; at most 512. yrs deletes recursively.
    pub nesting: u32,
    /// How much is held back in bytes, each run of structs counting 64 more than its length.
    pub held_bytes: u64,
    /// How many runs of structs and deleted ranges are held back.
    pub held_runs: u32,
    /// How long something is held back in milliseconds.
    pub held_millis: u64,
}

/// The limits where there is no document, and those of a document made without any.
pub(crate) const DEFAULT: YffiLimits = YffiLimits {
    update_bytes: 256 << 20,
    value_depth: 64,
    nesting: 128,
    held_bytes: 16 << 20,
    held_runs: 100_000,
    held_millis: 10 * 60 * 1000,
};

/// What no document may exceed; for updates that some document has let in already.
pub(crate) const WIDEST: YffiLimits = YffiLimits {
    update_bytes: u64::MAX,
    value_depth: 256,
    nesting: 512,
    ..DEFAULT
};

impl YffiLimits {
    /// The limits with every zero replaced, or the name of the one that is not safe.
    pub(crate) fn resolved(self) -> Result<Self, &'static str> {
        fn or<T: Default + PartialEq>(value: T, otherwise: T) -> T {
            if value == T::default() {
                otherwise
            } else {
                value
            }
        }
        let limits = YffiLimits {
            update_bytes: or(self.update_bytes, DEFAULT.update_bytes),
            value_depth: or(self.value_depth, DEFAULT.value_depth),
            nesting: or(self.nesting, DEFAULT.nesting),
            held_bytes: or(self.held_bytes, DEFAULT.held_bytes),
            held_runs: or(self.held_runs, DEFAULT.held_runs),
            held_millis: or(self.held_millis, DEFAULT.held_millis),
        };
        if limits.value_depth > WIDEST.value_depth {
            return Err("values nested deeper than 256 levels are not safe");
        }
        if limits.nesting > WIDEST.nesting {
            return Err("shared types nested deeper than 512 levels are not safe");
        }
        Ok(limits)
    }
}
