import ArgumentParser
import HubCodec
import HubModel
import HubStore

/// `multipoint conflicts …`
struct ConflictsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conflicts", abstract: "Shows edits that were overruled.", subcommands: [List.self], defaultSubcommand: List.self)

    /// `multipoint conflicts list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists edits that did not count, with who won and by which rule.",
            discussion: "  multipoint conflicts list --after 120 --json")

        @OptionGroup var configuration: ConfigurationOptions
        @OptionGroup var list: ListOptions

        @Option(help: "Only those after this number.")
        var after: Int64 = 0

        func run() async throws {
            let (after, limit) = (after, list.limit)
            let conflicts = try await StoreAccess.read(configuration.loadWithoutSecrets()) { try $0.conflicts(after: after, limit: limit) }
            let rows = conflicts.map { conflict -> [Value] in
                [
                    .number(Number(conflict.id)), Output.time(conflict.time), .string(conflict.document.rawValue), .string(conflict.field),
                    .string(conflict.application.rawValue), conflict.refused, conflict.kept ?? .null,
                    .string(conflict.winner?.rawValue ?? "–"), .string(conflict.rule),
                ]
            }
            Output.list(
                ["id", "time", "document", "field", "application", "refused", "kept", "winner", "rule"], rows, json: list.json,
                nothing: "no conflicts")
        }
    }
}

/// `multipoint alarms …`
struct AlarmsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alarms", abstract: "Shows what a person should look at.", subcommands: [List.self], defaultSubcommand: List.self)

    /// `multipoint alarms list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists alarms, oldest first.", discussion: "  multipoint alarms list")

        @OptionGroup var configuration: ConfigurationOptions
        @OptionGroup var list: ListOptions

        @Option(help: "Only those after this number.")
        var after: Int64 = 0

        func run() async throws {
            let (after, limit) = (after, list.limit)
            let alarms = try await StoreAccess.read(configuration.loadWithoutSecrets()) { try $0.alarms(after: after, limit: limit) }
            let rows = alarms.map { alarm -> [Value] in
                [
                    .number(Number(alarm.id)), Output.time(alarm.time), .string(alarm.code), .string(alarm.application?.rawValue ?? "–"),
                    .string(alarm.document?.rawValue ?? "–"), .string(alarm.text),
                ]
            }
            Output.list(["id", "time", "code", "application", "document", "text"], rows, json: list.json, nothing: "no alarms")
        }
    }
}
