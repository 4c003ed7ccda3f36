//! Processor time and memory as Linux tells them in /proc.

use std::collections::{HashMap, HashSet};
use std::fs;

/// Linux tells times in hundredths of a second, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// What /proc/PID/stat says of a process.
#[derive(Debug, Clone, Copy)]
struct Stat {
    parent: u32,
    own: u64,
    ended_children: u64,
}

/// CPU seconds of all children of this process that have ended and been waited for, with theirs.
pub fn ended_children_cpu() -> f64 {
    stat(std::process::id()).map_or(0.0, |stat| seconds(stat.ended_children))
}

/// CPU seconds of this process itself.
pub fn own_cpu() -> f64 {
    stat(std::process::id()).map_or(0.0, |stat| seconds(stat.own))
}

/// CPU seconds so far of the trees below `roots`, with every child that has ended.
pub fn trees_cpu(roots: &[u32]) -> f64 {
    let all = stats(pids().iter());
    let tree = tree(&all, roots);
    let stats = tree.iter().filter_map(|pid| all.get(pid));
    seconds(stats.map(|stat| stat.own + stat.ended_children).sum())
}

/// CPU seconds in which the machine was not idle, all processors together.
pub fn busy_cpu() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let numbers = text.lines().next().unwrap_or_default().split_whitespace();
    let ticks: Vec<u64> = numbers.skip(1).filter_map(|n| n.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of user.
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    seconds(ticks.iter().take(8).sum::<u64>() - idle)
}

/// Every process there is.
pub fn pids() -> HashSet<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Every process below this one that began after those were `known`, but for children of those. To look at these alone takes a tenth of what
/// it takes to look at all, which would be taken from the programs that are measured.
pub fn begun_below(known: &HashSet<u32>) -> HashSet<u32> {
    let own = std::process::id();
    let mut below = tree(&stats(pids().difference(known)), &[own]);
    below.remove(&own);
    below
}

/// Memory of processes in KiB; what several share is counted once.
pub fn memory_kib(pids: &HashSet<u32>) -> u64 {
    pids.iter().map(|pid| proportional_kib(*pid)).sum()
}

fn proportional_kib(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

fn tree(all: &HashMap<u32, Stat>, roots: &[u32]) -> HashSet<u32> {
    let mut found: HashSet<u32> = roots.iter().copied().collect();
    loop {
        let before = found.len();
        let more = all.iter().filter(|(_, stat)| found.contains(&stat.parent));
        let more: Vec<u32> = more.map(|(pid, _)| *pid).collect();
        found.extend(more);
        if found.len() == before {
            return found;
        }
    }
}

fn stats<'p>(pids: impl Iterator<Item = &'p u32>) -> HashMap<u32, Stat> {
    pids.filter_map(|pid| Some((*pid, stat(*pid)?))).collect()
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse(&text)
}

fn parse(text: &str) -> Option<Stat> {
    // The program's name, in parentheses, may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        ended_children: ticks(13)? + ticks(14)?,
    })
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_moves_no_field() {
        let line = "7 (a) b) S 3 7 7 0 -1 4194304 102 0 0 0 11 12 13 14 20 0 1 0";
        let stat = parse(line).unwrap();
        assert_eq!((stat.parent, stat.own, stat.ended_children), (3, 23, 27));
    }

    #[test]
    fn work_of_children_is_seen() {
        let before = ended_children_cpu();
        let known = pids();
        let mut child = std::process::Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"])
            .spawn()
            .unwrap();
        assert!(begun_below(&known).contains(&child.id()));
        assert!(!begun_below(&pids()).contains(&child.id()));
        child.wait().unwrap();
        assert!(ended_children_cpu() > before);
    }
}
