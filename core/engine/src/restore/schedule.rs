//! What may run next of tasks that need one another, and that exclude one another by the locks
//! they take. Pure: knows neither threads nor the server.
//!
//! A task that failed may be put off: it runs once more, alone, when nothing else can run. Whatever
//! an object needs without any catalog saying so (a CHECK whose function reads another table, a
//! deadlock) is there by then.

use std::cmp::Reverse;
use std::collections::BTreeSet;

/// A task's place in the schedule.
pub(super) type TaskId = usize;

/// Which tasks go first when several may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Short, or worth doing while its table is in memory.
    First,
    /// The rows.
    Rows,
    /// What stands in nobody's way.
    Last,
}

/// How a task locks a table against others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// Others of this kind may run beside it.
    Shared,
    /// Nobody may.
    Exclusive,
}

/// One thing to be done.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub(super) rank: Rank,
    /// Bytes it is about; of equal rank the largest goes first.
    pub(super) weight: u64,
    /// A short task that mostly waits for answers: as many run as there are workers.
    pub(super) light: bool,
    /// What must be done before.
    pub(super) needs: Vec<TaskId>,
    /// Tables it locks, by any number that names them.
    pub(super) locks: Vec<(i32, Lock)>,
    /// Locks more than it knows of: runs when nothing else does.
    pub(super) alone: bool,
}

/// What a worker is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// This task; `alone`: nothing runs beside it, nor could anything.
    Run { task: TaskId, alone: bool },
    /// Ask again when a task has ended.
    Wait,
    /// Nothing is left to begin.
    End,
    /// Tasks are left, and each needs another.
    Stuck,
}

type Key = (Rank, Reverse<u64>, TaskId);

/// The state of all tasks.
pub(super) struct Schedule {
    tasks: Vec<Task>,
    /// Heavy tasks that may run at once.
    jobs: usize,
    needed_by: Vec<Vec<TaskId>>,
    missing: Vec<usize>,
    heavy: BTreeSet<Key>,
    light: BTreeSet<Key>,
    running: Vec<TaskId>,
    put_off: BTreeSet<TaskId>,
    failed_once: BTreeSet<TaskId>,
    left: usize,
}

impl Schedule {
    /// Nothing done yet. At most `jobs` heavy tasks will run at once.
    pub(super) fn new(tasks: Vec<Task>, jobs: usize) -> Self {
        let mut needed_by = vec![Vec::new(); tasks.len()];
        for (id, task) in tasks.iter().enumerate() {
            for need in &task.needs {
                needed_by[*need].push(id);
            }
        }
        let mut schedule = Self {
            missing: tasks.iter().map(|task| task.needs.len()).collect(),
            left: tasks.len(),
            tasks,
            jobs,
            needed_by,
            heavy: BTreeSet::new(),
            light: BTreeSet::new(),
            running: Vec::new(),
            put_off: BTreeSet::new(),
            failed_once: BTreeSet::new(),
        };
        for id in 0..schedule.tasks.len() {
            schedule.make_ready(id);
        }
        schedule
    }

    /// Picks a task and counts it as running.
    pub(super) fn next(&mut self) -> Next {
        match self.pick() {
            Some(task) => {
                self.heavy.remove(&self.key(task));
                self.light.remove(&self.key(task));
                self.put_off.remove(&task);
                let alone = self.running.is_empty() && self.is_idle();
                self.running.push(task);
                Next::Run { task, alone }
            }
            None if self.left == 0 => Next::End,
            None if self.running.is_empty() => Next::Stuck,
            None => Next::Wait,
        }
    }

    /// The task is done: what needed it may run.
    pub(super) fn done(&mut self, task: TaskId) {
        self.running.retain(|running| *running != task);
        self.left -= 1;
        for id in std::mem::take(&mut self.needed_by[task]) {
            self.missing[id] -= 1;
            self.make_ready(id);
        }
    }

    /// The task failed. `true`: it will run once more; `false`: that was the second time, and it
    /// still counts as running.
    pub(super) fn put_off(&mut self, task: TaskId) -> bool {
        if !self.failed_once.insert(task) {
            return false;
        }
        self.running.retain(|running| *running != task);
        self.put_off.insert(task);
        true
    }

    fn make_ready(&mut self, id: TaskId) {
        if self.missing[id] == 0 {
            match self.tasks[id].light {
                true => self.light.insert(self.key(id)),
                false => self.heavy.insert(self.key(id)),
            };
        }
    }

    fn key(&self, id: TaskId) -> Key {
        (self.tasks[id].rank, Reverse(self.tasks[id].weight), id)
    }

    /// Whether nothing is ready.
    fn is_idle(&self) -> bool {
        self.heavy.is_empty() && self.light.is_empty()
    }

    fn pick(&self) -> Option<TaskId> {
        if self.running.iter().any(|id| self.excludes_all(*id)) {
            return None;
        }
        let heavy_running = self.running.iter().filter(|id| !self.tasks[**id].light);
        let heavy = match heavy_running.count() < self.jobs {
            true => self.first_free(&self.heavy),
            false => None,
        };
        let found = heavy.or_else(|| self.first_free(&self.light));
        match self.running.is_empty() && self.is_idle() {
            true => self.put_off.first().copied(),
            false => found,
        }
    }

    fn first_free(&self, ready: &BTreeSet<Key>) -> Option<TaskId> {
        ready.iter().map(|key| key.2).find(|id| self.is_free(*id))
    }

    fn is_free(&self, id: TaskId) -> bool {
        match self.tasks[id].alone {
            true => self.running.is_empty(),
            false => !self.running.iter().any(|other| self.conflict(id, *other)),
        }
    }

    fn excludes_all(&self, running: TaskId) -> bool {
        self.tasks[running].alone || self.failed_once.contains(&running)
    }

    fn conflict(&self, one: TaskId, other: TaskId) -> bool {
        let locks_of_other = &self.tasks[other].locks;
        self.tasks[one].locks.iter().any(|(table, lock)| {
            let same = locks_of_other.iter().filter(|(other, _)| other == table);
            same.into_iter()
                .any(|(_, other)| (*lock, *other) != (Lock::Shared, Lock::Shared))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(rank: Rank, weight: u64, needs: &[TaskId]) -> Task {
        Task {
            rank,
            weight,
            light: false,
            needs: needs.to_vec(),
            locks: Vec::new(),
            alone: false,
        }
    }

    fn run(schedule: &mut Schedule) -> TaskId {
        match schedule.next() {
            Next::Run { task, .. } => task,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_largest_goes_first_and_what_needs_it_waits_for_it() {
        let tasks = vec![
            task(Rank::Rows, 1, &[]),
            task(Rank::Rows, 9, &[]),
            task(Rank::First, 9, &[1]),
            task(Rank::Last, 9, &[0, 2]),
        ];
        let mut schedule = Schedule::new(tasks, 2);
        assert_eq!((run(&mut schedule), run(&mut schedule)), (1, 0));
        assert_eq!(schedule.next(), Next::Wait);
        schedule.done(1);
        assert_eq!(run(&mut schedule), 2);
        schedule.done(0);
        assert_eq!(schedule.next(), Next::Wait);
        schedule.done(2);
        let last = Next::Run {
            task: 3,
            alone: true,
        };
        assert_eq!(schedule.next(), last);
        schedule.done(3);
        assert_eq!(schedule.next(), Next::End);
    }

    #[test]
    fn tasks_that_lock_the_same_table_exclude_one_another_unless_both_share_it() {
        let locking = |lock| Task {
            locks: vec![(7, lock)],
            ..task(Rank::First, 1, &[])
        };
        let tasks = vec![
            locking(Lock::Shared),
            locking(Lock::Shared),
            locking(Lock::Exclusive),
        ];
        let mut schedule = Schedule::new(tasks, 4);
        assert_eq!((run(&mut schedule), run(&mut schedule)), (0, 1));
        assert_eq!(schedule.next(), Next::Wait);
        schedule.done(0);
        assert_eq!(schedule.next(), Next::Wait);
        schedule.done(1);
        assert_eq!(run(&mut schedule), 2);
    }

    #[test]
    fn light_tasks_run_beside_as_many_heavy_ones_as_there_are_jobs() {
        let light = Task {
            light: true,
            ..task(Rank::Rows, 1, &[])
        };
        let heavy = task(Rank::Rows, 5, &[]);
        let tasks = vec![light.clone(), light, heavy.clone(), heavy];
        let mut schedule = Schedule::new(tasks, 1);
        let order = [(); 3].map(|()| run(&mut schedule));
        assert_eq!(order, [2, 0, 1]);
        assert_eq!(schedule.next(), Next::Wait);
        schedule.done(2);
        assert_eq!(run(&mut schedule), 3);
    }

    #[test]
    fn what_failed_runs_once_more_alone_after_all_that_can_run() {
        let tasks = vec![
            task(Rank::Rows, 3, &[]),
            task(Rank::Rows, 2, &[]),
            task(Rank::Rows, 1, &[]),
            task(Rank::First, 1, &[0]),
        ];
        let mut schedule = Schedule::new(tasks, 2);
        assert_eq!((run(&mut schedule), run(&mut schedule)), (0, 1));
        assert!(schedule.put_off(0));
        assert_eq!(run(&mut schedule), 2);
        schedule.done(1);
        assert_eq!(schedule.next(), Next::Wait);
        schedule.done(2);
        assert_eq!(run(&mut schedule), 0);
        assert_eq!(schedule.next(), Next::Wait);
        assert!(!schedule.put_off(0));
        schedule.done(0);
        assert_eq!(run(&mut schedule), 3);
    }

    #[test]
    fn a_task_that_locks_more_than_it_knows_of_has_no_company() {
        let wide = Task {
            alone: true,
            ..task(Rank::First, 1, &[])
        };
        let mut schedule = Schedule::new(vec![task(Rank::First, 2, &[]), wide], 4);
        assert_eq!(run(&mut schedule), 0);
        assert_eq!(schedule.next(), Next::Wait);
        schedule.done(0);
        assert_eq!(run(&mut schedule), 1);
        assert_eq!(schedule.next(), Next::Wait);
    }

    #[test]
    fn tasks_that_need_one_another_are_told_apart_from_the_end() {
        let tasks = vec![task(Rank::First, 1, &[1]), task(Rank::First, 1, &[0])];
        assert_eq!(Schedule::new(tasks, 1).next(), Next::Stuck);
    }
}
