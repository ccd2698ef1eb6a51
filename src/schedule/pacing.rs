//! How a second's records are spread inside the second, as the user says it.

named! {
    /// When inside its second a record is due.
    Pacing,
    /// A text that names no pacing.
    PacingError = "a pacing is one of burst, smooth, poisson, stagger";
    /// All at the start of the second, as the Node.js original did.
    Burst = "burst",
    /// At equal distances.
    Smooth = "smooth",
    /// At random: the arrivals of a Poisson process, given their number.
    Poisson = "poisson",
    /// Each job's all at once, the jobs at equal distances.
    Stagger = "stagger",
}
