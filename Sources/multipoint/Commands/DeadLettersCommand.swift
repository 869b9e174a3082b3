import ArgumentParser
import HubCodec
import HubConfiguration
import HubModel
import HubStore

/// `multipoint dead-letters …`
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Shows what could not be worked, and works it again.",
        subcommands: [List.self, Show.self, Replay.self], defaultSubcommand: List.self)

    /// `multipoint dead-letters list`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists dead letters that have not been replayed.",
            discussion: """
                  multipoint dead-letters list
                  multipoint dead-letters list --all --json
                """)

        @OptionGroup var configuration: ConfigurationOptions
        @OptionGroup var list: ListOptions

        @Flag(help: "Those that have been replayed too.")
        var all = false

        @Option(help: "Only those after this number.")
        var after: Int64 = 0

        func run() async throws {
            let (all, after, limit) = (all, after, list.limit)
            let letters = try await StoreAccess.read(configuration.loadWithoutSecrets()) { transaction in
                try transaction.deadLetters(after: after, limit: limit, includeReplayed: all)
            }
            let rows = letters.map { letter -> [Value] in
                let origin = letter.target?.description ?? letter.record.map { "\($0.topic)[\($0.partition)]@\($0.offset)" } ?? ""
                return [
                    .number(Number(letter.id)), Output.time(letter.time), .string(letter.application?.rawValue ?? "–"), .string(origin),
                    .string(letter.code), letter.replayed.map(Output.time) ?? .null, .string(letter.reason),
                ]
            }
            Output.list(
                ["id", "time", "application", "origin", "code", "replayed", "reason"], rows, json: list.json, nothing: "no dead letters")
        }
    }

    /// `multipoint dead-letters show ID`
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one dead letter with its record.", discussion: "  multipoint dead-letters show 12")

        @OptionGroup var configuration: ConfigurationOptions

        @Argument(help: "Its number.")
        var id: Int64

        @Flag(help: "As a JSON object.")
        var json = false

        func run() async throws {
            let id = id
            let letter = try await StoreAccess.read(configuration.loadWithoutSecrets()) { try $0.deadLetter(id) }
            guard let letter else { throw CommandFailure(.notWell, "there is no dead letter \(id)") }
            let members = Self.members(letter)
            if json {
                Output.json(.object(Fields(members.map { ($0.name, $0.value) })))
            } else {
                for line in Table(["", ""], members.map { [$0.name, $0.value.text ?? String(decoding: $0.value.json, as: UTF8.self)] })
                    .lines
                    .dropFirst()
                {
                    Output.line(line)
                }
            }
        }

        private static func members(_ letter: DeadLetter) -> [(name: String, value: Value)] {
            var members: [(String, Value)] = [
                ("id", .number(Number(letter.id))), ("time", Output.time(letter.time)), ("code", .string(letter.code)),
                ("reason", .string(letter.reason)),
            ]
            if let application = letter.application { members.append(("application", .string(application.rawValue))) }
            if let target = letter.target { members.append(("target", .string(target.description))) }
            if let version = letter.version { members.append(("version", .string(version.description))) }
            if let replayed = letter.replayed { members.append(("replayed", Output.time(replayed))) }
            if let record = letter.record {
                members.append(("topic", .string("\(record.topic)[\(record.partition)] at \(record.offset)")))
                members.append(("key", text(record.key)))
                for header in record.headers { members.append(("header \(header.name)", text(header.value))) }
                members.append(("value", text(record.value)))
            }
            return members
        }

        /// Text as it is; bytes that are no text in hexadecimal digits.
        private static func text(_ bytes: [UInt8]?) -> Value {
            guard let bytes else { return .null }
            if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
            return .string("0x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        }
    }

    /// `multipoint dead-letters replay ID…`
    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Works dead letters again.",
            discussion: """
                A record goes to its topic again, with the header mp-replay; a delivery is made again, from today's golden record. \
                Mend the cause first: the mapping, the application, the document.

                  multipoint dead-letters replay 12 13
                """)

        @OptionGroup var configuration: ConfigurationOptions

        @Argument(help: "Their numbers.")
        var ids: [Int64]

        func run() async throws {
            let configuration = try configuration.loadWithoutSecrets()
            for id in ids { Output.line(try await StoreAccess.carryOut(.replay(id), configuration)) }
        }
    }
}
