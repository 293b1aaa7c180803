//! `[marks]`

use crate::config::Marks;
use crate::config::reader::Reader;
use crate::units::Degrees;

pub(super) fn marks(marks: &mut Reader<'_, '_, '_>) -> Marks {
    let usual = Marks::default();
    Marks {
        policy: marks.or("policy", usual.policy),
        tolerance: marks.or_in("tolerance", &(Degrees::new(0.01)..=Degrees::new(10.0)), usual.tolerance),
    }
}
