//! The order of rules (计算顺序): each after all it reads, across programmes; a circle is a mistake.
//!
//! Guarantees: the same rules always give the same order. Deliberately absent: running them.

use crate::program::Step;

/// Steps in dependency order, or a circle as the numbers of its steps.
pub(crate) fn order(steps: &[Step]) -> Result<Vec<u32>, Vec<u32>> {
    /// Not seen, on the way, done.
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; steps.len()];
    let mut found = Vec::with_capacity(steps.len());
    // An explicit stack: a long chain of rules must not overflow the thread's own.
    for start in 0..steps.len() {
        if marks[start] != Mark::New {
            continue;
        }
        marks[start] = Mark::Open;
        let mut way: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((step, next)) = way.last_mut() {
            let step = *step;
            match steps[step].needs.get(*next) {
                Some(needed) => {
                    *next += 1;
                    let needed = *needed as usize;
                    match marks[needed] {
                        Mark::Done => {}
                        Mark::New => {
                            marks[needed] = Mark::Open;
                            way.push((needed, 0));
                        }
                        Mark::Open => {
                            let from = way.iter().position(|(on, _)| *on == needed).unwrap_or(0);
                            return Err(way[from..].iter().map(|(on, _)| number(*on)).collect());
                        }
                    }
                }
                None => {
                    marks[step] = Mark::Done;
                    found.push(number(step));
                    way.pop();
                }
            }
        }
    }
    Ok(found)
}

fn number(step: usize) -> u32 {
    u32::try_from(step).expect("a rule book has far fewer than four thousand million rules")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Work;

    fn step(needs: &[u32]) -> Step {
        Step {
            name: String::new(),
            work: Work::Benefit(0),
            needs: needs.to_vec(),
            inputs: Vec::new(),
        }
    }

    #[test]
    fn every_step_comes_after_what_it_reads() {
        assert_eq!(
            order(&[step(&[1, 2]), step(&[2]), step(&[])]),
            Ok(vec![2, 1, 0])
        );
    }

    #[test]
    fn a_circle_is_named() {
        assert_eq!(
            order(&[step(&[1]), step(&[2]), step(&[1])]),
            Err(vec![1, 2])
        );
        assert_eq!(order(&[step(&[0])]), Err(vec![0]));
    }
}
