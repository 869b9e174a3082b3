import ArgumentParser
import Foundation
import HubCodec
import HubModel
import Logging

/// `--log-level` and `--log-format`.
struct LoggingOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Option(
        help: "trace, debug, info, notice, warning, error or critical (default: notice, or MULTIPOINT_LOG).",
        transform: { text in
            guard let level = Logger.Level(rawValue: text.lowercased()) else {
                throw ValidationError("\(text) is no level: write \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return level
        })
    var logLevel: Logger.Level?

    @Option(help: "text, or json: one object per line.")
    var logFormat = Format.text

    /// Sends the process's log to standard error. Once per process.
    func setUp() {
        let environment = ProcessInfo.processInfo.environment["MULTIPOINT_LOG"].flatMap { Logger.Level(rawValue: $0.lowercased()) }
        let level = logLevel ?? environment ?? .notice
        let isJSON = logFormat == .json
        LoggingSystem.bootstrap { label in StandardErrorLog(label: label, level: level, isJSON: isJSON) }
    }
}

/// Writes each log line to standard error in one piece.
struct StandardErrorLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level
    private let label: String
    private let isJSON: Bool

    init(label: String, level: Logger.Level, isJSON: Bool) {
        self.label = label
        self.isJSON = isJSON
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        all.merge(metadataProvider?.get() ?? [:]) { _, new in new }
        all.merge(event.metadata ?? [:]) { _, new in new }
        if let error = event.error { all["error"] = "\(error)" }
        Output.note(Self.line(label, event.level, "\(event.message)", all, time: Date(), isJSON: isJSON))
    }

    /// `2026-03-01T12:00:00.123Z warning multipoint.bus: text key=value`, or the same as a JSON object.
    static func line(
        _ label: String, _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, time: Date, isJSON: Bool
    ) -> String {
        let time = time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let extras = metadata.sorted { $0.key < $1.key }
        if isJSON {
            var fields = Fields(extras.map { ($0.key, .string("\($0.value)")) })
            fields["time"] = .string(time)
            fields["level"] = .string(level.rawValue)
            fields["logger"] = .string(label)
            fields["message"] = .string(message)
            return String(decoding: Value.object(fields).json, as: UTF8.self)
        }
        // One event is one line, whatever came from outside.
        let text = "\(time) \(level.rawValue) \(label): \(message)" + extras.map { " \($0.key)=\($0.value)" }.joined()
        return String(text.map { $0.isNewline ? " " : $0 })
    }
}
