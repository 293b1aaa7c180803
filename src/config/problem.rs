//! What is wrong with a configuration, for people and for programs.

use std::fmt;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::source::{Place, Sources};

/// One mistake in a configuration, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ConfigProblem)]
pub struct Problem {
    /// The file that makes it, as it was named to the loader.
    pub file: String,
    /// Line, from 1; none if the file could not be read. What is missing is to be written there.
    pub line: Option<u32>,
    /// Column in characters, from 1; none without a line.
    pub column: Option<u32>,
    /// What is wrong there, for people.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The key that it is about, as `scanner config` takes it; none if it is about no single one.
    pub key: Option<String>,
}

/// Every mistake in a configuration, in the order of files and lines; at least one.
///
/// `Display` renders all of them with the lines concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    problems: Vec<Problem>,
    rendered: String,
}

impl ConfigErrors {
    /// All mistakes, in the order of the files.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub(super) fn new(sources: &Sources, mut findings: Vec<Finding>) -> Self {
        sort(&mut findings);
        let mut rendered: Vec<String> = findings.iter().map(|finding| finding.render(sources)).collect();
        rendered.push(match findings.len() {
            1 => "1 problem in the configuration".to_owned(),
            count => format!("{count} problems in the configuration"),
        });
        let problems = findings.into_iter().map(|finding| finding.problem(sources)).collect();
        Self { problems, rendered: rendered.join("\n\n") }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered)
    }
}

impl std::error::Error for ConfigErrors {}

/// In the order of files and lines.
fn sort(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| {
        (finding.place.file, finding.place.span.as_ref().map(|span| (span.start, span.end)))
    });
}

/// The findings as problems, in the order of files and lines.
pub(super) fn sorted(sources: &Sources, mut findings: Vec<Finding>) -> Vec<Problem> {
    sort(&mut findings);
    findings.into_iter().map(|finding| finding.problem(sources)).collect()
}

/// A mistake and its place.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) key: Option<String>,
}

impl Finding {
    pub(super) fn new(place: &Place, message: impl Into<String>) -> Self {
        Self { place: place.clone(), message: message.into(), hint: None, key: None }
    }

    /// With what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Of the key `key`.
    pub(super) fn of(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    fn problem(self, sources: &Sources) -> Problem {
        let (line, column) = sources.line_column(&self.place).unzip();
        let file = sources.get(self.place.file).name.clone();
        Problem { file, line, column, message: self.message, hint: self.hint, key: self.key }
    }

    fn render(&self, sources: &Sources) -> String {
        let source = sources.get(self.place.file);
        let title = Level::ERROR.primary_title(self.message.as_str());
        let mut group = match sources.span(&self.place) {
            Some(span) => title.element(
                Snippet::source(source.text.as_str())
                    .path(source.name.as_str())
                    .annotation(AnnotationKind::Primary.span(span)),
            ),
            None => title.element(Origin::path(source.name.as_str())),
        };
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        Renderer::plain().render(&[group])
    }
}
