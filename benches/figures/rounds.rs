//! Figures taken turn by turn beside their ceiling, since the machine's own speed changes within seconds.

/// The median and the spread of what each round gave.
pub struct Rounds(Vec<f64>);

impl Rounds {
    pub fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// What each round gave, as a part of what its ceiling gave in the same round.
    pub fn ratios(values: &[f64], ceilings: &[f64]) -> Self {
        Self::new(values.iter().zip(ceilings).map(|(value, ceiling)| value / ceiling).collect())
    }

    pub fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(0.0)
    }

    /// The median, and the lowest and highest.
    pub fn spread(&self) -> String {
        let (lowest, highest) = (self.0.first().unwrap_or(&0.0), self.0.last().unwrap_or(&0.0));
        format!("{:.2} ({lowest:.2}-{highest:.2})", self.median())
    }
}
