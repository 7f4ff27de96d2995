//! Memory over keys, as a drawing.

use std::error::Error;

use plotters::prelude::{
    BLACK, BLUE, ChartBuilder, IntoDrawingArea as _, LineSeries, PathElement, RGBColor, SVGBackend, WHITE,
};

use super::Sample;

const GREY: RGBColor = RGBColor(120, 120, 120);

/// Draws what the state says, what the process has, and the bound.
pub(crate) fn write(file: &str, samples: &[Sample], bound: f64) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(file, (900, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let keys = samples.last().map_or(1.0, |sample| sample.keys as f64 / 1e6);
    let most = samples.iter().map(|sample| sample.resident).fold(bound, f64::max) * 1.15;
    let mut chart = ChartBuilder::on(&root)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..keys, 0.0..most)?;
    chart.configure_mesh().x_desc("hostile keys, millions").y_desc("MiB").draw()?;
    let line = |of: fn(&Sample) -> f64| samples.iter().map(move |sample| (sample.keys as f64 / 1e6, of(sample)));
    chart.draw_series(LineSeries::new(line(|s| s.state), BLUE))?.label("what the state says").legend(mark(BLUE));
    chart.draw_series(LineSeries::new(line(|s| s.resident), GREY))?.label("what the process has").legend(mark(GREY));
    chart.configure_series_labels().border_style(BLACK).background_style(WHITE).draw()?;
    root.present()?;
    Ok(())
}

/// A stroke beside a name.
fn mark(colour: RGBColor) -> impl Fn((i32, i32)) -> PathElement<(i32, i32)> {
    move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour)
}
