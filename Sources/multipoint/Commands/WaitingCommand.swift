import ArgumentParser
import HubConfiguration
import HubModel
import HubStore

/// `multipoint waiting …`
struct WaitingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waiting",
        abstract: "Shows what waits, and lets it go on.",
        subcommands: [List.self, Approve.self, Release.self], defaultSubcommand: List.self)

    /// `multipoint waiting list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists deliveries and inbound events that wait, with the reason.",
            discussion: """
                First come applications to which something is to be delivered, or nothing goes: with how many documents are ready and, \
                where the application is paused or cannot be reached, since when and why, and how many records of its topics the hub \
                has not taken up. What cannot be reached is the word of the hub that runs, or ran last.

                A target is application/company/document, or application/document where the entity is shared; it is what `approve` and \
                `release` take. Events that wait are those that the application told before what they refer to was known.

                  multipoint waiting list --application erp
                  multipoint waiting list --json | jq -r 'select(.reason == "approval") | .target'
                """)

        @OptionGroup var configuration: ConfigurationOptions
        @OptionGroup var list: ListOptions

        @Option(help: "Only this application.")
        var application: String?

        func run() async throws {
            let configuration = try configuration.loadWithoutSecrets()
            let applications = try configuration.choose(application)
            let limit = list.limit
            let (backlogs, rows) = try await StoreAccess.read(configuration) { transaction in
                var rows: [[Value]] = []
                let backlogs = try applications.map { try DeliveryBacklog($0, in: transaction) }
                for application in applications {
                    let reasons = Set(TargetState.Wait.Reason.allCases).subtracting([.ready, .calling])
                    // Far enough ahead that every wait counts, however long it still has to go.
                    for row in try transaction.waiting(application, reasons, until: .distantFuture, limit: limit) {
                        guard let wait = row.state.wait else { continue }
                        rows.append(Self.row(row, wait))
                    }
                }
                for event in try transaction.waitingEvents(after: 0, limit: limit) where applications.contains(event.document.application) {
                    rows.append(Self.row(event))
                }
                return (backlogs, rows)
            }
            let stopped = await DeliveryBacklog.askingBus(backlogs.filter { !$0.isIdle }, configuration).map(Self.row)
            Output.list(
                ["kind", "target", "reason", "since", "until", "detail"], Array((stopped + rows).prefix(limit)), json: list.json,
                nothing: "nothing waits")
        }

        private static func row(_ backlog: DeliveryBacklog) -> [Value] {
            [
                "application", .string(backlog.application.rawValue), .string(backlog.state.rawValue),
                backlog.since.map(Output.time) ?? .null, .null, .string(backlog.detail),
            ]
        }

        private static func row(_ row: TargetRow, _ wait: TargetState.Wait) -> [Value] {
            let detail = [wait.awaits.map { "for \($0)" }, wait.detail.isEmpty ? nil : wait.detail].compactMap { $0 }.joined(
                separator: ": ")
            return [
                "delivery", .string(row.target.description), .string(wait.reason.rawValue), Output.time(wait.since),
                wait.until.map(Output.time) ?? .null, .string(detail),
            ]
        }

        private static func row(_ event: WaitingEvent) -> [Value] {
            let (reason, detail) =
                switch event.awaits {
                case .link(let reference): ("link", "for \(reference)")
                case .intents(let application, let entity): ("intents", "while a create of \(entity) in \(application) is under way")
                case .turn: ("turn", "behind an earlier event of the same document")
                }
            return ["event", .string(event.document.description), .string(reason), Output.time(event.since), .null, .string(detail)]
        }
    }

    /// `multipoint waiting approve TARGET…`
    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says yes to deliveries that wait for approval.",
            discussion: "  multipoint waiting approve erp/fr/order-1-7")

        @OptionGroup var configuration: ConfigurationOptions

        @Argument(help: "Targets, as `waiting list` shows them.")
        var targets: [TargetArgument]

        func run() async throws {
            let configuration = try configuration.loadWithoutSecrets()
            for target in targets { Output.line(try await StoreAccess.carryOut(.approve(target.target), configuration)) }
        }
    }

    /// `multipoint waiting release TARGET…`
    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tries again at once what waits, or what an application refused.",
            discussion: """
                Waits that protect a document (a call without an answer that may still take effect) cannot be cut short.

                  multipoint waiting release erp/customer-1-42
                """)

        @OptionGroup var configuration: ConfigurationOptions

        @Argument(help: "Targets, as `waiting list` shows them.")
        var targets: [TargetArgument]

        func run() async throws {
            let configuration = try configuration.loadWithoutSecrets()
            for target in targets { Output.line(try await StoreAccess.carryOut(.release(target.target), configuration)) }
        }
    }
}

/// A target on the command line: `erp/customer-1-42` or `erp/fr/order-1-7`.
struct TargetArgument: ExpressibleByArgument {
    var target: Target

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard !parts.contains("") else { return nil }
        switch parts.count {
        case 2: target = Target(ApplicationID(parts[0]), .shared, CanonicalID(parts[1]))
        case 3: target = Target(ApplicationID(parts[0]), CompanyID(parts[1]), CanonicalID(parts[2]))
        default: return nil
        }
    }
}

/// What all lists have in common.
struct ListOptions: ParsableArguments {
    @Flag(help: "One JSON object per line.")
    var json = false

    @Option(help: "At most so many lines.")
    var limit = 1000

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit has to be 1 or more") }
    }
}

extension Instant {
    /// 9999-12-31: no wait is longer.
    static let distantFuture = Instant(milliseconds: 253_402_214_400_000)
}

extension Configuration {
    /// The application of that name, or all of them.
    func choose(_ name: String?) throws(CommandFailure) -> [ApplicationID] {
        let all = applications.map(\.id)
        guard let name else { return all }
        guard all.contains(ApplicationID(name)) else {
            let near = Suggestion.nearest(name, all.map(\.rawValue)).map { "; did you mean \($0)?" } ?? ""
            throw CommandFailure(.wrong, "there is no application \(name)\(near)")
        }
        return [ApplicationID(name)]
    }
}
