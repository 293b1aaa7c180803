//! Where somebody is in the questions.

use super::accept::accept;
use super::answers::Answers;
use super::applies::applies;
use super::choices::{Choice, choices};
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

/// A question as a form shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Which one.
    pub key: Key,
    /// What is asked, on one line.
    pub title: String,
    /// What has to be known for it; may be empty.
    pub about: String,
    /// More, for who wants to know.
    pub more: &'static str,
    /// What may be chosen; empty where a text is wanted.
    pub choices: Vec<Choice>,
    /// What is taken if nothing is said.
    pub usual: String,
    /// What was answered; none of the one that is asked.
    pub answer: Option<String>,
}

/// Why an answer is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no answer; what was expected.
    #[error("{0}")]
    Wrong(String),
    /// An earlier question is open.
    #[error("`{}` is not asked yet: answer `{}` first", .key.name(), .open.name())]
    Open {
        /// What was answered.
        key: Key,
        /// What is asked.
        open: Key,
    },
    /// This rig does not have that question.
    #[error("this rig has no question `{}`", .0.name())]
    Needless(Key),
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
        match self.answer(key, &text) {
            Ok(()) => Heard::Answered(key),
            Err(expected) => Heard::Wrong(expected),
        }
    }

    fn answer(&mut self, key: Key, text: &str) -> Result<(), String> {
        let answer = accept(key, text, &self.answers, self.facts)?;
        self.answers.set(key, answer);
        self.at += 1;
        while self.key().is_some_and(|key| !applies(key, &self.answers)) {
            self.at += 1;
        }
        Ok(())
    }

    /// Answers `key`, wherever somebody is. Unlike a line, no text but an empty one, Enter alone, means anything else.
    pub fn put(&mut self, key: Key, text: &str) -> Result<(), Refused> {
        let place = Key::ALL.iter().position(|known| *known == key).unwrap_or(self.at);
        if place > self.at
            && let Some(open) = self.key()
        {
            return Err(Refused::Open { key, open });
        }
        if !applies(key, &self.answers) {
            return Err(Refused::Needless(key));
        }
        self.at = place;
        let usual = || default(key, &self.answers, self.facts);
        let text = if text.trim().is_empty() { usual() } else { text.to_owned() };
        self.answer(key, &text).map_err(Refused::Wrong)
    }

    /// Every question up to the one that is asked, for a form.
    pub fn questions(&self) -> Vec<Question> {
        let asked = Key::ALL.iter().take(self.at + 1).filter(|key| applies(**key, &self.answers));
        asked.map(|key| self.question(*key)).collect()
    }

    fn question(&self, key: Key) -> Question {
        let (answers, facts) = (&self.answers, self.facts);
        Question {
            key,
            title: texts::title(key, answers),
            about: texts::each(key, answers)
                .map_or_else(|| texts::about(key, answers, facts), |each| format!("Give {each}.")),
            more: texts::more(key),
            choices: choices(key, facts),
            usual: default(key, answers, facts),
            answer: answers.get(key).filter(|_| self.key() != Some(key)).map(str::to_owned),
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
