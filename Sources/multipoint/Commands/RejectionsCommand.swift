import ArgumentParser
import HubConfiguration
import HubModel
import HubStore

/// `multipoint rejections …`
struct RejectionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rejections", abstract: "Shows what applications refuse.", subcommands: [List.self], defaultSubcommand: List.self)

    /// `multipoint rejections list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists documents whose newest version an application has refused, with the rule.",
            discussion: """
                A document stands here until the application takes it, or it is deleted. It is not sent again before something of it \
                changes: mend the document where it is edited, or the cause in the application, and then say `waiting release TARGET`. \
                The hub's log tells the first refusal by each rule, and every minute how many more there were.

                  multipoint rejections
                  multipoint rejections list --application erp --json | jq -r .target
                """)

        @OptionGroup var configuration: ConfigurationOptions
        @OptionGroup var list: ListOptions

        @Option(help: "Only this application.")
        var application: String?

        @Option(help: "Only those behind this target: the last one of the list before.")
        var after: TargetArgument?

        private static let columns = ["target", "version", "since", "rule", "field", "text"]

        func run() async throws {
            let configuration = try configuration.loadWithoutSecrets()
            let applications = try configuration.choose(application).sorted()
            let (limit, after) = (list.limit, after?.target)
            let found = try await StoreAccess.read(configuration) { transaction in
                var found: [TargetRow] = []
                for application in applications where found.count < limit {
                    if let after, application < after.application { continue }
                    let start = after?.application == application ? after : nil
                    found += try transaction.rejections(application, after: start, limit: limit - found.count)
                }
                return found
            }
            let rows = found.compactMap { row in row.state.rejected.map { (row, $0) } }
            guard list.json else {
                Output.list(Self.columns, rows.map { Self.cells($0, $1) }, json: false, nothing: "nothing is refused")
                return
            }
            for (row, rejected) in rows {
                let target: [(String, Value)] = [
                    ("application", .string(row.target.application.rawValue)), ("company", .string(row.target.company.rawValue)),
                    ("document", .string(row.target.id.rawValue)), ("entity", .string(row.entity.rawValue)),
                ]
                Output.json(.object(Fields(target + zip(Self.columns, Self.cells(row, rejected)).map { ($0, $1) })))
            }
        }

        private static func cells(_ row: TargetRow, _ rejected: TargetState.RejectedWrite) -> [Value] {
            [
                .string(row.target.description), rejected.version == .none ? .null : .string(rejected.version.description),
                rejected.since.map(Output.time) ?? .null, .string(rejected.rejection.rule),
                rejected.rejection.field.map { .string($0) } ?? .null, .string(rejected.rejection.text),
            ]
        }
    }
}
