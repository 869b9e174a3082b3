import ArgumentParser
import HubCodec
import HubConfiguration
import HubDriver
import HubModel
import HubRules

/// `multipoint check`
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Names every mistake in the configuration, and what cannot be reached.",
        discussion: """
            Without --live nothing is reached: the file, its mappings, secrets, schemas and the drivers' manifests are compared. With --live \
            the broker, the topics and every application are asked, and what the applications hold is compared with their mappings.

              multipoint check
              multipoint check --config /etc/multipoint/hub.yaml --live --json
            """)

    @OptionGroup var configuration: ConfigurationOptions
    @OptionGroup var logging: LoggingOptions

    @Flag(help: "Ask the broker and the applications too.")
    var live = false

    @Flag(help: "The result as one JSON object.")
    var json = false

    @Option(help: "Seconds to wait for each answer.")
    var timeout = 10

    func run() async throws {
        logging.setUp()
        let loaded: Configuration
        do throws(CommandFailure) {
            loaded = try configuration.load()
            do throws(CommandFailure) {
                _ = try HubHost.schemas(loaded)
            } catch {
                await loaded.closeDrivers()
                throw error
            }
        } catch {
            if json {
                Output.json(["well": false, "mistakes": .array(error.text.split(separator: "\n").dropLast().map { .string(String($0)) })])
            }
            throw error
        }
        let report = live ? await LiveReport.make(loaded, timeout: .seconds(timeout)) : nil
        await loaded.closeDrivers()
        if json {
            var fields: Fields = ["well": .bool(report?.isWell ?? true), "hub": .string(loaded.hub), "applications": applications(loaded)]
            fields["leftByOwners"] = .array(
                leftToTellers(loaded).map { left in
                    [
                        "entity": .string(left.entity.rawValue), "application": left.application.map { .string($0.rawValue) } ?? .null,
                        "fields": .array(left.fields.map { .string($0) }),
                    ]
                })
            if let report { fields["live"] = report.value }
            Output.json(.object(fields))
        } else {
            printSummary(loaded)
            for line in report?.lines ?? [] { Output.line(line) }
        }
        guard let report, !report.isWell else { return }
        throw report.isBusWell ? ExitCode.notWell : ExitCode.unreachable
    }

    private func printSummary(_ loaded: Configuration) {
        let count = (loaded.applications.count, loaded.entities.count)
        Output.line(
            "\(configuration.path) has no mistakes: hub \(loaded.hub), \(count.0) application\(count.0 == 1 ? "" : "s"), "
                + "\(count.1) entit\(count.1 == 1 ? "y" : "ies")")
        let table = Table(
            ["APPLICATION", "DRIVER", "ENTITIES", "TOPICS"],
            loaded.applications.map { application in
                [
                    application.id.rawValue, "\(application.driverName) \(application.manifest.version)",
                    application.mappings.map(\.entity.rawValue).joined(separator: ", "),
                    application.inboundTopics.joined(separator: ", "),
                ]
            })
        for line in table.lines { Output.line(line) }
        if let http = loaded.http {
            let names = http.tokens.map(\.name).joined(separator: ", ")
            Output.line("http listens at \(http.host):\(http.port) for \(names)")
        }
        for left in leftToTellers(loaded) {
            let decision = left.application.map { "\($0) decides" } ?? "the latest change decides"
            Output.line("\(left.entity): \(decision) \(left.fields.joined(separator: ", ")), which its owner does not tell")
        }
        for application in loaded.applications where !application.manifest.window.isEmpty {
            Output.line("\(application.id): \(application.manifest.window)")
        }
    }

    /// Fields that owners leave to others, as they do not tell them; no application: the latest change counts.
    private func leftToTellers(
        _ loaded: Configuration
    ) -> [(entity: EntityName, application: ApplicationID?, fields: [String])] {
        let plan = loaded.plan()
        return loaded.entities.flatMap { entity in
            plan.policy(entity.name).leftToTellers.map { (entity: entity.name, application: $0.key, fields: $0.value) }
                .sorted { ($0.application?.rawValue ?? "") < ($1.application?.rawValue ?? "") }
        }
    }

    private func applications(_ loaded: Configuration) -> Value {
        .array(
            loaded.applications.map { application in
                [
                    "application": .string(application.id.rawValue), "driver": .string(application.driverName),
                    "version": .string(application.manifest.version), "window": .string(application.manifest.window),
                    "entities": .array(application.mappings.map { .string($0.entity.rawValue) }),
                    "topics": .array(application.inboundTopics.map { .string($0) }),
                ]
            })
    }
}
