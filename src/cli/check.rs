//! `pgretro check`.

use super::facts::Facts;
use super::progress::Progress;
use super::recognised::recognised;
use super::report::gather::narrow;
use super::report::ingest_options;
use super::servers::{Server, are_beside, chain_of, named, peers, primary_first};
use super::{Status, output, print};
use crate::advisor::{self, Peer};
use crate::check::{Audit, Node, Policy, PolicyFile, audit};
use crate::diff;
use crate::error::{Error, Result};
use crate::ingest;
use crate::meta::{Meta, Notes};
use crate::render::audit::{self as formats, Format};
use crate::render::{ColorChoice, Surroundings};
use crate::trend::lineage::lineages;
use crate::trend::read;
use crate::trend::{self, Plan};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Arguments of `pgretro check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Dumps of one server, or of a primary and its standbys, as `pgretro report` takes them
    #[arg(required = true, value_name = "DUMP")]
    dumps: Vec<PathBuf>,
    /// What is expected: settings, versions, views, worst severities, extensions, as TOML
    #[arg(long, value_name = "POLICY.toml")]
    policy: PathBuf,
    /// Print as table, json, sarif or junit
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,
    /// Write to FILE, in the format its ending names (.txt, .json, .sarif, .xml); may be given several times
    #[arg(short, long = "output", value_name = "FILE")]
    output: Vec<PathBuf>,
    /// Lines that cannot be assessed count as failed
    #[arg(long)]
    strict: bool,
    /// First snapshot: its position from 1, its name, or a time (the first taken then or later)
    #[arg(long, value_name = "SNAPSHOT")]
    from: Option<String>,
    /// Last snapshot: its position from 1, its name, or a time (the last taken then or earlier)
    #[arg(long, value_name = "SNAPSHOT")]
    to: Option<String>,
    #[command(flatten)]
    facts: Facts,
    /// Capture time of a snapshot that says nothing about its own; several in the order of the dumps
    #[arg(long, value_name = "TIME")]
    taken_at: Vec<String>,
    /// Zone of times without an offset, where the dump does not say it (Europe/Berlin)
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Print the summary line only
    #[arg(short, long)]
    quiet: bool,
    /// Colours of the table
    #[arg(long, value_name = "WHEN", value_parser = ["auto", "always", "never"], default_value = "auto")]
    color: String,
    /// Keep the table to ASCII
    #[arg(long)]
    ascii: bool,
}

/// Runs it.
pub(super) fn run(args: &Args) -> Result<Status> {
    // What is asked for is checked before the work.
    let endings: Vec<Format> = args.output.iter().map(|path| formats::by_path(path)).collect::<Result<_>>()?;
    let format = formats::by_name(&args.format)?;
    let (policy, file) = read_policy(&args.policy)?;
    let (config, _) = args.facts.config()?;
    let reading = ingest_options(&args.taken_at, args.timezone.as_deref())?;
    let progress = Progress::watch(reading.tally.as_ref());
    let servers = servers(args, &reading)?;
    drop(progress);
    let snapshots = servers.iter().flat_map(|(_, chain)| &chain.snapshots);
    recognised(snapshots.map(AsRef::as_ref), &args.dumps)?;
    let peers = peers(&servers);
    let advice: Vec<_> = peers
        .iter()
        .map(|own| {
            let beside = |p: &&Peer<'_>| are_beside(&own.chain.last().meta, &p.chain.last().meta);
            let others: Vec<Peer<'_>> = peers.iter().filter(beside).copied().collect();
            advisor::run_among(own.chain, &others, &config)
        })
        .collect();
    let nodes: Vec<Node<'_>> = servers
        .iter()
        .zip(&advice)
        .map(|((name, chain), advice)| Node { name: title(name, chain, servers.len()), chain, advice })
        .collect();
    let result = audit(&policy, file, &nodes, args.strict || policy.strict);
    deliver(args, &result, &endings, format)?;
    Ok(if result.fails() { Status::Findings } else { Status::Done })
}

/// The servers, told apart as `pgretro report` does it for a history; another database is a server of its own here, for
/// what was given to be checked is checked.
fn servers(args: &Args, reading: &ingest::Options) -> Result<Vec<Server>> {
    let options = diff::Options::default();
    let plan = Plan { followed: trend::for_report(), objects: Vec::new(), watched: true };
    let request = read::Request { inputs: args.dumps.clone(), ingest: reading.clone(), diff: options.clone(), plan };
    let mut moments = read::moments(&request)?;
    narrow(&mut moments, args.from.as_deref(), args.to.as_deref())?;
    let metas: Vec<&Meta> = moments.iter().map(|m| &m.meta).collect();
    let lineages = lineages(&metas, false, &mut Notes::default()).map_err(|error| match error {
        Error::Identity { code, message, .. } => {
            Error::Identity { code, message, hint: Some("give snapshots of one cluster".to_owned()) }
        }
        other => other,
    })?;
    let chains = lineages.iter().map(|lineage| chain_of(&moments, lineage, &options));
    let mut chains = chains.collect::<Result<Vec<_>>>()?;
    primary_first(&mut chains);
    Ok(named(chains))
}

/// One server is told by its database, where nothing names it.
fn title(name: &str, chain: &diff::Chain, servers: usize) -> String {
    let meta = &chain.last().meta;
    if servers > 1 || meta.node.is_some() {
        return name.to_owned();
    }
    meta.database.clone().unwrap_or_else(|| meta.label.clone())
}

fn read_policy(path: &Path) -> Result<(Policy, PolicyFile)> {
    let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
    let name = path.display().to_string();
    let policy = Policy::parse(&text, &name)?;
    let mut sha256 = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        // Writing to a string cannot fail.
        let _ = write!(sha256, "{byte:02x}");
    }
    let file = PolicyFile { name: policy.name.clone(), about: policy.about.clone(), file: name, sha256 };
    Ok((policy, file))
}

/// Writes the files, all or none, and prints what belongs on standard output.
fn deliver(args: &Args, result: &Audit, endings: &[Format], format: Format) -> Result<()> {
    let color = match args.color.as_str() {
        "always" => ColorChoice::Always,
        "never" => ColorChoice::Never,
        _ => ColorChoice::Auto,
    };
    let plain = crate::render::Options { width: 100, ..crate::render::Options::default() };
    let files = args.output.iter().zip(endings);
    let files = files.map(|(path, ending)| Ok((path.clone(), formats::render(result, *ending, &plain)?)));
    output::write_files(&files.collect::<Result<Vec<_>>>()?)?;
    let mut look = Surroundings::of_stdout().options(color, args.ascii);
    look.quiet = args.quiet;
    print(&formats::render(result, format, &look)?)
}
