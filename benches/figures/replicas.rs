//! Two replicas over one PostgreSQL beside one, on the same cores, with the same load: a second each, in turn.

use std::time::Duration;

use crate::{
    arguments::Arguments,
    database::Engine,
    load::Load,
    process::{Mode, Rig},
    rounds::Rounds,
};

const ROUND: Duration = Duration::from_secs(1);

pub fn measure(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let (rounds, connections) = (arguments.rounds(7), arguments.numbers("--connections", &[64])[0]);
    println!(
        "\nTwo replicas beside one on PostgreSQL: {connections} connections in all, {rounds} rounds of a second each\n\n\
         {:42} {:>9} {:>9} {:>18}",
        "", "one req/s", "two req/s", "ratio"
    );
    for (name, mode) in [("intake alone", Mode::Intake), ("triage and mail at work", Mode::Workers)] {
        let rig = Rig::make(Engine::Postgres, 0)?;
        let (first, second) = (rig.serve(mode, &[])?, rig.serve(mode, &[])?);
        let run = |addresses: &[_]| {
            let path = "/api/v1/signups".to_owned();
            Load { addresses: addresses.to_vec(), path, connections, repeated: 0 }.run(ROUND)
        };
        let (alone, both) = ([first.address()], [first.address(), second.address()]);
        let (mut one, mut two) = (Vec::new(), Vec::new());
        run(&both)?;
        for _ in 0..rounds {
            one.push(run(&alone)?.rate());
            two.push(run(&both)?.rate());
        }
        let ratio = Rounds::ratios(&two, &one).spread();
        let (one, two) = (Rounds::new(one).median(), Rounds::new(two).median());
        println!("{name:42} {one:>9.0} {two:>9.0} {ratio:>18}");
    }
    Ok(())
}
