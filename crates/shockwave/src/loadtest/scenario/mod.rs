//! Scenarios: what the workers of a load test do.

mod burst;
mod churn;
mod handoff;
mod hold;
mod spike;
mod steady;

use std::time::Duration;
use std::{error, fmt, str};

use super::LoadTestError;
use super::lender::Lender;
use super::worker::Worker;

/// What the workers of a load test do. An operation is one buffer taken, used and returned in each.
///
/// ```
/// use shockwave::loadtest::Scenario;
///
/// assert_eq!("burst".parse(), Ok(Scenario::Burst));
/// assert_eq!(Scenario::ALL.len(), 7);
/// assert!("gust".parse::<Scenario>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Scenario {
    /// Takes a buffer, uses it and returns it, the sizes in turn.
    #[default]
    Steady,
    /// As steady, with any length from one byte to the largest size, at random.
    Mixed,
    /// Takes 128 buffers, then returns them all.
    Burst,
    /// One thread takes and fills, another returns; so a worker is two threads, with a queue
    /// between.
    Handoff,
    /// Holds 64 buffers, and always returns one of them at random for a new one.
    Hold,
    /// Starts a thread, takes and returns 64 buffers on it, ends it; and again.
    Churn,
    /// Holds 16 buffers, grows to 1,024 in the middle of the test and shrinks to 16 again. The pool
    /// is maintained meanwhile, so that what was made for the spike goes back.
    Spike,
}

impl Scenario {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Steady,
        Self::Mixed,
        Self::Burst,
        Self::Handoff,
        Self::Hold,
        Self::Churn,
        Self::Spike,
    ];

    /// The name, lowercase.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Mixed => "mixed",
            Self::Burst => "burst",
            Self::Handoff => "handoff",
            Self::Hold => "hold",
            Self::Churn => "churn",
            Self::Spike => "spike",
        }
    }

    /// What its workers do, in a few words.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Steady => "takes, uses and returns one buffer after the other, the sizes in turn",
            Self::Mixed => {
                "takes, uses and returns one buffer after the other, of random lengths up to the largest size"
            }
            Self::Burst => "takes 128 buffers, then returns them all",
            Self::Handoff => "takes and fills on one thread, returns on another",
            Self::Hold => "holds 64 buffers, each for a random time",
            Self::Churn => "starts a thread for every 64 buffers, and ends it",
            Self::Spike => "holds 16 buffers, grows to 1,024 and shrinks back",
        }
    }

    /// Buffers that one worker holds at once, at most; of a spike, what it usually holds.
    pub(super) const fn held(self) -> usize {
        match self {
            Self::Steady | Self::Mixed | Self::Churn => 1,
            Self::Burst => burst::AT_ONCE,
            Self::Handoff => handoff::HELD,
            Self::Hold => hold::HELD,
            Self::Spike => spike::USUAL,
        }
    }

    /// How often a test of this duration maintains its pool, and when its traffic is calm again, if
    /// it is about giving back.
    pub(super) fn gives_back(self, duration: Duration) -> Option<(Duration, Duration)> {
        (self == Self::Spike).then(|| (spike::interval(duration), spike::calm(duration)))
    }

    /// Does the work until the gate says stop, and at least one operation.
    pub(super) fn work<L: Lender>(self, worker: &mut Worker<'_, L>) -> Result<(), LoadTestError> {
        match self {
            Self::Steady => steady::in_turn(worker),
            Self::Mixed => steady::mixed(worker),
            Self::Burst => burst::work(worker),
            Self::Handoff => handoff::work(worker),
            Self::Hold => hold::work(worker),
            Self::Churn => churn::work(worker),
            Self::Spike => spike::work(worker),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl str::FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, UnknownScenario> {
        let known = Self::ALL.into_iter().find(|scenario| scenario.name() == name);
        known.ok_or_else(|| UnknownScenario { name: name.to_owned() })
    }
}

/// A name that no scenario has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScenario {
    name: String,
}

impl fmt::Display for UnknownScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no scenario {:?}; expected one of", self.name)?;
        for (i, scenario) in Scenario::ALL.iter().enumerate() {
            write!(f, "{} {scenario}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl error::Error for UnknownScenario {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_scenario() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.name().parse(), Ok(scenario));
        }
        let error = "Steady".parse::<Scenario>().unwrap_err().to_string();
        assert!(error.ends_with("steady, mixed, burst, handoff, hold, churn, spike"), "{error}");
    }
}
