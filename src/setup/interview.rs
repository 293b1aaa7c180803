//! Where somebody is in the questions.

use super::accept::accept;
use super::answers::Answers;
use super::applies::applies;
use super::defaults::default;
use super::facts::Facts;
use super::key::Key;
use super::texts;

/// The questions, and how far they are answered.
#[derive(Debug, Clone)]
pub struct Interview<'f> {
    facts: &'f Facts,
    answers: Answers,
    /// The place in [`Key::ALL`]; behind its end when all is answered.
    at: usize,
}

/// What comes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It is an answer; the next question follows.
    Answered(Key),
    /// The question before is asked again, or this one if there is none before.
    Back,
    /// More about the question, which stays.
    More(&'static str),
    /// Enough for now.
    Quit,
    /// It is no answer; what was expected.
    Wrong(String),
}

impl<'f> Interview<'f> {
    /// Begins with the first question that has no answer that fits.
    pub fn new(facts: &'f Facts, answers: Answers) -> Self {
        let mut interview = Self { facts, answers, at: 0 };
        while let Some(key) = interview.key() {
            let given = interview.answers.get(key);
            let fits = given.is_some_and(|given| accept(key, given, &interview.answers, facts).is_ok());
            if applies(key, &interview.answers) && !fits {
                break;
            }
            interview.at += 1;
        }
        interview
    }

    /// The question that is asked; none if all are answered.
    pub fn key(&self) -> Option<Key> {
        Key::ALL.get(self.at).copied()
    }

    /// What was answered so far, also behind the question that is asked.
    pub const fn answers(&self) -> &Answers {
        &self.answers
    }

    /// The question in words, with what Enter takes in brackets.
    pub fn ask(&self) -> Option<String> {
        let key = self.key()?;
        let text = texts::ask(key, &self.answers, self.facts);
        Some(format!("{text} [{}]: ", default(key, &self.answers, self.facts)))
    }

    /// Hears a line.
    pub fn hear(&mut self, line: &str) -> Heard {
        let Some(key) = self.key() else { return Heard::Quit };
        let text = match line.trim() {
            "?" => return Heard::More(texts::more(key)),
            "quit" => return Heard::Quit,
            "back" => {
                self.back();
                return Heard::Back;
            }
            "" => default(key, &self.answers, self.facts),
            text => text.to_owned(),
        };
        match accept(key, &text, &self.answers, self.facts) {
            Ok(answer) => {
                self.answers.set(key, answer);
                self.at += 1;
                while self.key().is_some_and(|key| !applies(key, &self.answers)) {
                    self.at += 1;
                }
                Heard::Answered(key)
            }
            Err(expected) => Heard::Wrong(expected),
        }
    }

    /// One question back, if there is one before.
    pub fn back(&mut self) {
        let before = (0..self.at).rev().find(|&at| applies(Key::ALL[at], &self.answers));
        self.at = before.unwrap_or(self.at);
    }
}

/// A file of answers that does not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// Questions without an answer, with what Enter would have taken.
    #[error("these answers are missing:\n{}", lines(.0))]
    Answers(Vec<(Key, String)>),
    /// An answer that is none; what was expected.
    #[error("`{}`: {expected}", .key.name())]
    Wrong {
        /// Of which question.
        key: Key,
        /// What was expected.
        expected: String,
    },
    /// Questions that this rig does not have.
    #[error("this rig has no question `{}`: remove it", .0.name())]
    Needless(Key),
}

fn lines(missing: &[(Key, String)]) -> String {
    let mut all = Answers::default();
    for (key, usual) in missing {
        all.set(*key, usual);
    }
    all.to_toml().lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// The answers of a file, all of which have to be there.
pub fn from_file(given: &Answers, facts: &Facts) -> Result<Answers, Missing> {
    let (mut all, mut missing) = (Answers::default(), Vec::new());
    for &key in Key::ALL {
        if !applies(key, &all) {
            // Which questions there are is not known while an earlier one is open.
            if given.get(key).is_some() && missing.is_empty() {
                return Err(Missing::Needless(key));
            }
            continue;
        }
        if let Some(text) = given.get(key) {
            let answer = accept(key, text, &all, facts);
            all.set(key, answer.map_err(|expected| Missing::Wrong { key, expected })?);
        } else {
            // The questions behind it are those of the usual answer.
            let usual = default(key, &all, facts);
            all.set(key, usual.clone());
            missing.push((key, usual));
        }
    }
    if missing.is_empty() { Ok(all) } else { Err(Missing::Answers(missing)) }
}
