import ArgumentParser

/// The command line.
@main
struct Multipoint: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "multipoint",
        abstract: "Keeps front-office and back-office applications in step over Kafka.",
        discussion: """
            Everything that the hub should do stands in one configuration file (hub.yaml unless --config says otherwise). Begin with

              multipoint check

            which names every mistake in it, and with --live what cannot be reached.

            Exit codes: 0 all is well; 1 what was asked about is not well; 2 wrong usage, configuration or input; 3 the bus or the store \
            cannot be reached.
            """,
        version: version,
        subcommands: [
            RunCommand.self, CheckCommand.self, AskCommand.self, CaptureCommand.self, BusCommand.self, PublishCommand.self, LagCommand.self,
            LinksCommand.self, WaitingCommand.self, RejectionsCommand.self, DeadLettersCommand.self, ConflictsCommand.self,
            AlarmsCommand.self,
            PauseCommand.self, ResumeCommand.self, DiscoverCommand.self, ReloadCommand.self, StoreCommand.self, SimulateCommand.self,
            ChaosCommand.self, DriverCommand.self, DemoCommand.self, RealDemoCommand.self, BenchCommand.self,
        ])

    static func main() async {
        MemoryPools.limit()
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            if !failure.text.isEmpty { Output.note(failure.text) }
            exit(withError: failure.code)
        } catch {
            let code = exitCode(for: error)
            // Wrong usage has one exit code here, whatever the parser calls it.
            guard code == .validationFailure else { exit(withError: error) }
            Output.note(fullMessage(for: error))
            exit(withError: ExitCode.wrong)
        }
    }
}
