//! What was measured, as tables for the terminal and as the page in the documentation.

use super::{
    BenchArgs,
    bounds::{self, Judged, Kept},
    plan, process,
    results::{Results, Series, Whose},
    table::Table,
};

/// All tables with their titles.
pub(super) fn tables(results: &Results) -> Vec<(&'static str, Table)> {
    let mut tables = vec![
        ("Bounds", bounds_table(&bounds::judge(results))),
        ("Requests", series_table(results)),
        ("Small requests beside large ones", beside_table(results)),
        ("Memory, start, `check` and `plan`", rest_table(results)),
    ];
    if results.cluster.is_some() {
        tables.push(("Through a real API server", cluster_table(results)));
    }
    tables
}

/// The page.
pub(super) fn page(results: &Results, args: &BenchArgs, versions: &str) -> String {
    let mut page = format!("{}{}", INTRODUCTION.trim_start(), machine(results, args, versions));
    for (title, table) in tables(results) {
        let below = match title {
            "Bounds" => BELOW_BOUNDS,
            "Requests" => BELOW_REQUESTS,
            "Small requests beside large ones" => BELOW_BESIDE,
            "Through a real API server" => BELOW_CLUSTER,
            _ => BELOW_REST,
        };
        page.extend([format!("\n## {title}\n\n{}", table.markdown()), below.to_owned()]);
    }
    page
}

const INTRODUCTION: &str = "
# Benchmarks

Written by `cargo xtask bench --write docs/benchmarks.md`; do not edit. Everything that is sent is generated, all rules run under the
profile `baseline`, and next to each series stands the floor: a server with the same TLS (rustls on aws-lc-rs, TLS 1.3, ECDSA P-256),
the same HTTP (axum on hyper, HTTP/1.1 and HTTP/2) and the same allocator that finds the uid of a review and allows it. What Hookward adds to the
floor is what Hookward costs; the rest is the price of a webhook.

## Method

The server runs on one core (`taskset`), the client on another, over loopback, with connections that are kept. HTTP/1.1 has one
connection for each request in flight, HTTP/2 one for all. Each series waits, for a while, until nobody else uses the machine. After a
warm-up of one second it is measured for the time given below, and again, up to three times, when other processes used more than 4 % of a
core meanwhile; the quietest counts. Every answer is
compared with the first one, byte by byte. CPU is user and system time of the server process, divided by answers; RSS is its resident memory at the
end of the series. Handler time comes from Hookward's own metric `hookward_admission_duration_seconds`, from the complete request to its answer.
";

const BELOW_BOUNDS: &str = "
*× floor* is the same bound as a multiple of the floor, taken from the machine the bounds were set on, and beside it what was measured. Where
a bound is met, but not as a ratio, this machine moves bytes faster than that one by more than it reads JSON faster: the floor only moves bytes.

The gate, by a profiler: half of the time goes to the YAML of the release (granit-parser, 3 MB), a quarter to the record (JSON from a stream,
byte by byte, and its decompression), an eighth to the rules, the rest to moving the request. It runs off the event loop: see what small
requests beside it wait. Memory after large requests is what the allocator keeps for the next one: with `MIMALLOC_PURGE_DELAY=0` it
gives all of it back (17 MB after the same load, 36 MB at most), small requests stay as fast, and 1 MB dense objects take twice as long.
";

const BELOW_REQUESTS: &str = "
*At once* is the number of requests in flight. *Core* is how much of its core the server used: well below 1, the client was the limit, and CPU tells more than requests per
second. *× floor* is CPU per answer as a multiple of the floor's. The dense Job is read to its last field; of the CRD and the `ConfigMap` the
rules need little, and the rest is read past. *Handler* is the bound of the histogram's bucket that holds the 99th of 100 requests.
";

const BELOW_BESIDE: &str = "
500 small requests a second on 16 connections, sent when they are due, while large ones go to the same server on the same core.
";

const BELOW_REST: &str = "
Memory is resident memory; the mixed load is 1,000 small hooks, 20 updates of 100 KB and 4
objects of 1 MB a second, and a release of 1 MB every 5 seconds. `check` runs on two cores; its time is the middle of nine runs. `plan`
shows an install and an upgrade and runs on one core; its time, from the start of the program to its end, is the middle of 101 runs. The
scenarios are those of `cargo xtask conformance`, half of them with each Helm; making their charts and reading them is part of the time.
";

const BELOW_CLUSTER: &str = "
A dry run of the CREATE of a hook Job, one at a time, over HTTP/2. API server, etcd, webhooks and client share the machine. The
namespaces are asked in turn; the middle of seven rounds counts. *Added* is the difference to the first row. What a repair adds beyond the
last row is the API server's: it applies the patch and reads the object again.
";

fn machine(results: &Results, args: &BenchArgs, versions: &str) -> String {
    let (model, cores) = process::processor();
    format!(
        "\n| | |\n| --- | --- |\n| date | {} |\n| processor | {model}, {cores} cores |\n| system | Linux {} |\n| versions | {versions} |\n\
         | each series | {} s |\n| most that others used of a core during a series | {:.0} % |\n\
         | the 1 MB release | {} |\n",
        today(),
        process::kernel(),
        args.seconds,
        results.disturbance() * 100.0,
        results.record,
    )
}

fn bounds_table(bounds: &[Judged]) -> Table {
    let mut table = Table::new(&["what", ">bound", ">measured", ">× floor", ">measured ×", ""]);
    for judged in bounds {
        let verdict = match judged.kept {
            Kept::Yes => "met".to_owned(),
            Kept::OnlyAsIs => "met, not as a ratio".to_owned(),
            Kept::OnlyAsRatio => "met as a ratio".to_owned(),
            Kept::No if judged.why.is_empty() => "missed".to_owned(),
            Kept::No => format!("missed: {}", judged.why),
        };
        let Judged { what, bound, measured, ratio, .. } = judged.clone();
        let (allowed, found) = ratio.unwrap_or_default();
        table.row([what, bound, measured, allowed, found, verdict]);
    }
    table
}

fn series_table(results: &Results) -> Table {
    let head = [
        "body",
        "server",
        "HTTP",
        ">at once",
        ">p50 ms",
        ">p99 ms",
        ">/s",
        ">CPU µs",
        ">× floor",
        ">core",
        ">RSS MB",
        ">handler µs",
    ];
    let mut table = Table::new(&head);
    for series in &results.series {
        table.row(series_row(results, series));
    }
    table
}

fn series_row(results: &Results, series: &Series) -> [String; 12] {
    let measured = &series.measured;
    let quantile = |share| measured.times.first().map_or(f64::NAN, |times| times.quantile(share));
    let floor = results.find(series.body, Whose::Floor, series.protocol, series.senders);
    let ratio = floor.filter(|_| series.whose != Whose::Floor).map(|floor| {
        format!("{:.2}", measured.processor_per_request() / floor.measured.processor_per_request())
    });
    let handler = series.handler.as_ref().map(|handler| format!("≤ {:.0}", handler.within(0.99)));
    [
        series.body.to_owned(),
        series.whose.name().to_owned(),
        series.protocol.number().to_owned(),
        series.senders.to_string(),
        format!("{:.2}", quantile(0.5)),
        format!("{:.2}", quantile(0.99)),
        format!("{:.0}", measured.rate()),
        format!("{:.1}", measured.processor_per_request()),
        ratio.unwrap_or_default(),
        format!("{:.2}", measured.busy()),
        megabytes(measured.memory.resident),
        handler.unwrap_or_default(),
    ]
}

fn beside_table(results: &Results) -> Table {
    let mut table =
        Table::new(&["beside", ">small p50 ms", ">small p99 ms", ">large p50 ms", ">large p99 ms", ">core"]);
    for beside in &results.beside {
        let quantile = |index: usize, share| {
            beside
                .measured
                .times
                .get(index)
                .map_or_else(String::new, |times| format!("{:.2}", times.quantile(share)))
        };
        table.row([
            beside.large.clone(),
            quantile(0, 0.5),
            quantile(0, 0.99),
            quantile(1, 0.5),
            quantile(1, 0.99),
            format!("{:.2}", beside.measured.busy()),
        ]);
    }
    table
}

fn rest_table(results: &Results) -> Table {
    let mut table = Table::new(&["what", ">measured"]);
    let start =
        |index: usize| results.starts.get(index).map_or_else(String::new, |start| format!("{start:.1} ms"));
    table.row(["start to ready, p50".to_owned(), start(results.starts.len() / 2)]);
    table.row(["start to ready, slowest".to_owned(), start(results.starts.len().saturating_sub(1))]);
    let memory = |kib: u64| format!("{} MB", megabytes(kib));
    table.row(["memory right after start".to_owned(), memory(results.memory.0)]);
    let (minutes, rate) = results.soak;
    table.row([format!("memory after {minutes} min of mixed load, {rate:.0}/s"), memory(results.memory.1)]);
    table.row(["most memory during it".to_owned(), memory(results.memory.2)]);
    for (what, check) in &results.checks {
        let measured =
            format!("{:.0} ms (slowest {:.0} ms), {} MB", check.wall, check.slowest, megabytes(check.memory));
        table.row([format!("check of {what}"), measured]);
    }
    if let Some(plan) = results.plan {
        let measured = format!("{:.1} ms (slowest {:.1} ms)", plan.wall, plan.slowest);
        table.row([format!("plan of a release with {} hooks", plan::HOOKS), measured]);
    }
    if let Some(scenarios) = results.scenarios {
        let what = format!(
            "{} random scenarios simulated: {} commands, {} steps",
            plan::SCENARIOS,
            scenarios.commands,
            scenarios.steps
        );
        table.row([what, format!("{:.2} s", scenarios.seconds)]);
    }
    table
}

fn cluster_table(results: &Results) -> Table {
    let mut table = Table::new(&["webhooks", ">p50 ms", ">p99 ms", ">added p50", ">added p99"]);
    let Some(cluster) = results.cluster else { return table };
    let cases = [
        ("none", cluster.none),
        ("two empty ones", cluster.floor),
        ("mutate and validate, the Job is repaired", cluster.ours),
        ("mutate and validate, nothing to repair", cluster.unchanged),
    ];
    for (name, through) in cases {
        table.row([
            name.to_owned(),
            format!("{:.2}", through.middle),
            format!("{:.2}", through.late),
            format!("{:.2}", through.middle - cluster.none.middle),
            format!("{:.2}", through.late - cluster.none.late),
        ]);
    }
    table
}

fn megabytes(kib: u64) -> String {
    format!("{:.1}", kib as f64 / 1024.0)
}

/// The date of the run, in UTC.
fn today() -> String {
    let (year, month, day) = time::OffsetDateTime::now_utc().to_calendar_date();
    format!("{year}-{:02}-{day:02}", u8::from(month))
}
