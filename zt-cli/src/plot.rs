//! The curves of an evaluation, as a drawing.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::{
    BLACK, BLUE, ChartBuilder, Color as _, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _, IntoLogRange as _,
    LineSeries, PathElement, RGBColor, SVGBackend, SeriesLabelPosition, WHITE,
};
use zt_core::evaluate::{Point, Report};

use crate::{Failure, whole};

const GREY: RGBColor = RGBColor(150, 150, 150);
const RED: RGBColor = RGBColor(200, 60, 40);
/// Pixels.
const SIZE: (u32, u32) = (1_080, 480);
/// Where the axis of false alarms begins.
const FEWEST: f64 = 1e-4;

type Drawn<'s> = Result<(), DrawingAreaErrorKind<<SVGBackend<'s> as plotters::prelude::DrawingBackend>::ErrorType>>;

/// Writes the ROC and the precision-recall curve of a report.
pub(crate) fn write(path: &Path, report: &Report) -> Result<(), Failure> {
    if report.curve.is_empty() {
        return Err(Failure(format!(
            "nothing to draw into `{}`: attacks and normal requests are needed",
            path.display()
        )));
    }
    let mut text = String::new();
    draw(&mut text, report).map_err(|error| Failure(format!("cannot draw `{}`: {error}", path.display())))?;
    whole::write(path, text.as_bytes())
}

fn draw<'s>(text: &'s mut String, report: &Report) -> Drawn<'s> {
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let halves = root.split_evenly((1, 2));
    if let [left, right] = &halves[..] {
        roc(left, report)?;
        precision(right, report)?;
    }
    root.present()
}

fn roc<'s>(area: &DrawingArea<SVGBackend<'s>, Shift>, report: &Report) -> Drawn<'s> {
    let title = report.measures.auc.map_or("ROC".to_owned(), |auc| format!("ROC, area {:.4}", auc.value));
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(48)
        .build_cartesian_2d((FEWEST..1.0).log_scale(), 0.0..1.0)?;
    let mesh = |share: &f64| format!("{share}");
    chart
        .configure_mesh()
        .x_desc("false alarms (share of normal requests)")
        .y_desc("attacks found")
        .x_label_formatter(&mesh)
        .draw()?;
    let chance = (0..=40).map(|at| FEWEST.powf(1.0 - f64::from(at) / 40.0)).map(|share| (share, share));
    chart.draw_series(LineSeries::new(chance, GREY))?.label("chance").legend(mark(GREY));
    let curve = stepped(report.curve.iter().map(|point| (point.false_alarms.max(FEWEST), point.found)));
    chart.draw_series(LineSeries::new(curve, BLUE.stroke_width(2)))?.label("here").legend(mark(BLUE));
    let budget = [(report.budget.max(FEWEST), 0.0), (report.budget.max(FEWEST), 1.0)];
    chart.draw_series(LineSeries::new(budget, RED))?.label("budget").legend(mark(RED));
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()?;
    Ok(())
}

fn precision<'s>(area: &DrawingArea<SVGBackend<'s>, Shift>, report: &Report) -> Drawn<'s> {
    let mut chart = ChartBuilder::on(area)
        .caption("Precision and recall", ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    chart.configure_mesh().x_desc("attacks found (recall)").y_desc("precision").draw()?;
    type Of = fn(&Point) -> f64;
    let lines: [(&str, Of, RGBColor); 2] = [
        ("of these requests", |point| point.precision, BLUE),
        ("1 % attacks", |point| point.precision_at_1_percent, RED),
    ];
    for (name, of, colour) in lines {
        let curve = report.curve.iter().map(|point| (point.found, of(point)));
        chart.draw_series(LineSeries::new(curve, colour.stroke_width(2)))?.label(name).legend(mark(colour));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()?;
    Ok(())
}

/// From the lower left, and up before to the right: what lies between two thresholds belongs to the lower one.
fn stepped(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut stepped = vec![(FEWEST, 0.0)];
    for (x, y) in points {
        let before = stepped.last().map_or(0.0, |(_, y)| *y);
        stepped.extend([(x, before), (x, y)]);
    }
    stepped
}

/// A stroke beside a name.
fn mark(colour: RGBColor) -> impl Fn((i32, i32)) -> PathElement<(i32, i32)> {
    move |(x, y)| PathElement::new(vec![(x, y), (x.saturating_add(16), y)], colour)
}
