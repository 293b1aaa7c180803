//! Least squares, by the library's Levenberg-Marquardt.

use levenberg_marquardt::{LeastSquaresProblem, LevenbergMarquardt, TerminationReason};
use nalgebra::storage::Owned;
use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

/// Part of a parameter's effect that no others together have, from which on it counts as determined.
const LEAST_PIVOT: f64 = 1e-7;

/// What has to be known of residuals r and their Jacobian J to go on from there.
#[derive(Debug, Clone)]
pub(crate) struct Normal {
    /// J'J; only its lower half, until it is [`whole`](Self::whole).
    pub(crate) squares: DMatrix<f64>,
    /// J'r.
    pub(crate) slopes: DVector<f64>,
    /// r'r.
    pub(crate) cost: f64,
}

impl Normal {
    pub(crate) fn new(size: usize) -> Self {
        Self { squares: DMatrix::zeros(size, size), slopes: DVector::zeros(size), cost: 0.0 }
    }

    /// Counts a `residual` in, which changes with few parameters: these by number.
    pub(crate) fn add(&mut self, residual: f64, slopes: &[(usize, f64)]) {
        self.cost += residual * residual;
        let size = self.slopes.len();
        let squares = self.squares.as_mut_slice();
        for &(column, other) in slopes {
            self.slopes[column] += other * residual;
            // Column by column, as they lie in memory: here a search spends most of its time.
            let rows = &mut squares[column * size..][..size];
            for &(row, slope) in slopes {
                if row >= column {
                    rows[row] += slope * other;
                }
            }
        }
    }

    /// With both halves of J'J.
    pub(crate) fn whole(mut self) -> Self {
        self.squares.fill_upper_triangle_with_lower_triangle();
        self
    }

    /// The inverse of J'J: the parameters' covariance where residuals have a variance of 1. What no residual depends on has none.
    /// None if the rest is not determined.
    pub(crate) fn covariance(&self) -> Option<DMatrix<f64>> {
        let scales =
            self.squares.diagonal().map(|square| if square > 0.0 { square.sqrt().recip() } else { 0.0 });
        let size = scales.len();
        let scaled = DMatrix::from_fn(size, size, |row, column| {
            let free = self.squares[(row, column)] * scales[row] * scales[column];
            if row == column && scales[row] == 0.0 { 1.0 } else { free }
        });
        let factor = Cholesky::new(scaled)?;
        if factor.l_dirty().diagonal().iter().any(|pivot| *pivot < LEAST_PIVOT) {
            return None;
        }
        let inverse = factor.inverse();
        Some(DMatrix::from_fn(size, size, |row, column| {
            inverse[(row, column)] * scales[row] * scales[column]
        }))
    }
}

/// A sum of squares to be made small.
pub(crate) trait Problem {
    /// How many parameters it has.
    fn size(&self) -> usize;

    /// How it stands with these parameters; none if they make no sense.
    fn normal(&self, parameters: &DVector<f64>) -> Option<Normal>;
}

/// When a search ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// A step makes little of a difference: more of them follow, with other weights.
    Rough,
    /// It makes none.
    Exact,
}

/// The parameters that make `problem` smallest, near `start`.
pub(crate) fn minimise(problem: &impl Problem, start: DVector<f64>, until: Until) -> Option<DVector<f64>> {
    let size = problem.size();
    if size == 0 {
        return Some(start);
    }
    let mut reduced = Reduced { problem, parameters: DVector::zeros(size), factors: None };
    reduced.set_params(&start);
    let (cost, step) = match until {
        Until::Rough => (1e-4, 1e-7),
        Until::Exact => (1e-9, 1e-10),
    };
    let (done, report) = LevenbergMarquardt::new()
        .with_ftol(cost)
        .with_xtol(step)
        .with_gtol(1e-12)
        .with_patience(150_usize.div_ceil(size + 1))
        .minimize(reduced);
    match report.termination {
        TerminationReason::User(_)
        | TerminationReason::Numerical(_)
        | TerminationReason::NoParameters
        | TerminationReason::NoResiduals
        | TerminationReason::WrongDimensions(_) => None,
        TerminationReason::ResidualsZero
        | TerminationReason::Orthogonal
        | TerminationReason::Converged { .. }
        | TerminationReason::NoImprovementPossible(_)
        | TerminationReason::LostPatience => Some(done.parameters),
    }
}

/// A problem as the library sees it: not with tens of thousands of residuals, whose dense Jacobian would take it seconds for each
/// step, but with one more than parameters. L' with LL' = J'J in place of J, and `L^-1 J'r` and the rest of r's length in place of
/// r have the same products, so that its steps are the same.
struct Reduced<'a, P> {
    problem: &'a P,
    parameters: DVector<f64>,
    factors: Option<(DMatrix<f64>, DVector<f64>)>,
}

impl<P: Problem> LeastSquaresProblem<f64, Dyn, Dyn> for Reduced<'_, P> {
    type ResidualStorage = Owned<f64, Dyn>;
    type JacobianStorage = Owned<f64, Dyn, Dyn>;
    type ParameterStorage = Owned<f64, Dyn>;

    fn set_params(&mut self, parameters: &DVector<f64>) {
        self.parameters.copy_from(parameters);
        self.factors = self.problem.normal(parameters).and_then(factors);
    }

    fn params(&self) -> DVector<f64> {
        self.parameters.clone()
    }

    fn residuals(&self) -> Option<DVector<f64>> {
        self.factors.as_ref().map(|(_, residuals)| residuals.clone())
    }

    fn jacobian(&self) -> Option<DMatrix<f64>> {
        self.factors.as_ref().map(|(jacobian, _)| jacobian.clone())
    }
}

/// What stands for the Jacobian and the residuals.
fn factors(normal: Normal) -> Option<(DMatrix<f64>, DVector<f64>)> {
    let Normal { mut squares, slopes, cost } = normal;
    if !cost.is_finite() {
        return None;
    }
    let size = slopes.len();
    // So that what is not determined stays where it is.
    for index in 0..size {
        let square = &mut squares[(index, index)];
        *square = if *square > 0.0 { *square * (1.0 + 1e-12) } else { 1.0 };
    }
    let factor = Cholesky::new(squares)?;
    let lower = factor.l();
    let seen = lower.solve_lower_triangular(&slopes)?;
    let rest = (cost - seen.norm_squared()).max(0.0).sqrt();
    let mut jacobian = DMatrix::zeros(size + 1, size);
    jacobian.view_mut((0, 0), (size, size)).copy_from(&lower.transpose());
    let mut residuals = DVector::zeros(size + 1);
    residuals.rows_mut(0, size).copy_from(&seen);
    residuals[size] = rest;
    Some((jacobian, residuals))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points on `a exp(-b t)`, found from afar.
    struct Decay(Vec<(f64, f64)>);

    impl Problem for Decay {
        fn size(&self) -> usize {
            2
        }

        fn normal(&self, parameters: &DVector<f64>) -> Option<Normal> {
            let mut normal = Normal::new(2);
            for (t, seen) in &self.0 {
                let fall = (-parameters[1] * t).exp();
                normal.add(parameters[0] * fall - seen, &[(0, fall), (1, -parameters[0] * t * fall)]);
            }
            Some(normal.whole())
        }
    }

    #[test]
    fn what_is_known_is_found() {
        let points: Vec<(f64, f64)> =
            (0..20).map(|t| f64::from(t) / 5.0).map(|t| (t, 7.0 * (-0.8 * t).exp())).collect();
        let found = minimise(&Decay(points), DVector::from_vec(vec![1.0, 0.1]), Until::Exact).unwrap();
        assert!((found[0] - 7.0).abs() < 1e-6 && (found[1] - 0.8).abs() < 1e-6, "{found}");
    }

    #[test]
    fn what_is_not_determined_has_no_covariance() {
        let mut normal = Normal::new(2);
        normal.add(1.0, &[(0, 1.0), (1, 2.0)]);
        normal.add(2.0, &[(0, 2.0), (1, 4.0)]);
        assert!(normal.clone().whole().covariance().is_none());
        normal.add(2.0, &[(0, 2.0), (1, 1.0)]);
        assert!(normal.whole().covariance().is_some());
    }
}
