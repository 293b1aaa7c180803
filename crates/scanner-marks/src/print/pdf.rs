//! Pages as PDF.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::Page;

/// PDF's units per mm.
const PER_MM: f32 = 72.0 / 25.4;
/// The one font, which every reader has.
const FONT: Name<'static> = Name(b"F1");

/// The pages in one file.
pub(super) fn write(pages: &[Page]) -> Vec<u8> {
    let (catalog, tree, font, info) = (Ref::new(1), Ref::new(2), Ref::new(3), Ref::new(4));
    let ids = |index: usize| (Ref::new(5 + 2 * index as i32), Ref::new(6 + 2 * index as i32));
    let mut pdf = Pdf::new();
    let mut root = pdf.catalog(catalog);
    root.pages(tree);
    // Readers that know this do not offer to fit it to the page.
    root.viewer_preferences().pair(Name(b"PrintScaling"), Name(b"None"));
    root.finish();
    pdf.pages(tree).kids((0..pages.len()).map(|index| ids(index).0)).count(pages.len() as i32);
    pdf.type1_font(font).base_font(Name(b"Helvetica"));
    pdf.document_info(info).title(TextStr("Marks for a 3D scanner")).creator(TextStr("scanner-marks"));
    for (index, page) in pages.iter().enumerate() {
        let (id, content) = ids(index);
        let [width, height] = page.size.map(|side| side as f32 * PER_MM);
        let mut writer = pdf.page(id);
        writer.media_box(Rect::new(0.0, 0.0, width, height)).parent(tree).contents(content);
        writer.resources().fonts().pair(FONT, font);
        writer.finish();
        pdf.stream(content, &drawn(page));
    }
    pdf.finish()
}

fn drawn(page: &Page) -> Vec<u8> {
    let mut content = Content::new();
    content.save_state();
    // From here on in mm.
    content.transform([PER_MM, 0.0, 0.0, PER_MM, 0.0, 0.0]);
    content.set_fill_gray(0.0);
    let point = |point: [f64; 2]| point.map(|coordinate| coordinate as f32);
    // All at once: where two areas touch, no line is left between them.
    for polygon in &page.black {
        let [[x, y], rest @ ..] = polygon.map(point);
        content.move_to(x, y);
        for [x, y] in rest {
            content.line_to(x, y);
        }
        content.close_path();
    }
    content.fill_nonzero();
    content.set_line_width(0.15);
    for line in &page.lines {
        for (index, at) in line.iter().enumerate() {
            let [x, y] = point(*at);
            if index == 0 {
                content.move_to(x, y)
            } else {
                content.line_to(x, y)
            };
        }
    }
    content.stroke();
    for (at, height, text) in &page.texts {
        let [x, y] = point(*at);
        content.begin_text();
        content.set_font(FONT, *height as f32);
        content.next_line(x, y);
        content.show(Str(text.as_bytes()));
        content.end_text();
    }
    content.restore_state();
    content.finish().into_vec()
}
