import ArgumentParser
import Foundation
import HubBus
import HubConfiguration
import HubModel
import Synchronization

/// `multipoint publish TOPIC [FILE]`
struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publishes the lines of a file to a topic.",
        discussion: """
            Each line is a record: {"key": "17", "value": {…}, "headers": {"ce_type": "…"}}, where a null value is a tombstone; or with \
            --key-field any JSON object, published as it stands. Blank lines are left out. Ends at the first broken line and names it; \
            what stands before it has been published.

              multipoint publish crm.customer customers.ndjson --key-field id
              generate | multipoint publish crm.customer - --bootstrap kafka:9092 --header content-type=application/json
            """)

    @OptionGroup var configuration: ConfigurationOptions
    @OptionGroup var logging: LoggingOptions

    @Argument(help: "The topic.")
    var topic: String

    @Argument(help: "The file; - is standard input.", completion: .file())
    var file = "-"

    @Option(help: "host:port of a broker, instead of the configuration's bus.")
    var bootstrap: String?

    @Option(help: "The dotted path of the key in each line: each line is a value then.")
    var keyField: String?

    @Option(help: "name=value: a header of every record; may be repeated.")
    var header: [String] = []

    @Option(help: "Seconds that the broker may take to accept what is on its way.")
    var timeout = 30

    /// Records handed over together.
    private static let batch = 500

    func validate() throws {
        for text in header where !text.contains("=") { throw ValidationError("--header \(text): write name=value") }
        if keyField?.split(separator: ".", omittingEmptySubsequences: false).contains("") == true {
            throw ValidationError("--key-field has to be a dotted path, such as id or meta.id")
        }
    }

    func run() async throws {
        logging.setUp()
        let bus = try bootstrap.map { BusConfiguration(["bootstrap.servers": $0]) } ?? configuration.loadWithoutSecrets().busConfiguration()
        let line = PublishLine(
            topic: topic, keyPath: keyField?.split(separator: ".").map(String.init),
            headers: header.map { text in
                let name = text.prefix { $0 != "=" }
                return Record.Header(String(name), String(text.dropFirst(name.count + 1)))
            })
        let (file, timeout) = (file, timeout)
        let count = try await Blocking.run { () throws(CommandFailure) in try Self.publish(file, line, bus, .seconds(timeout)) }
        Output.line("\(count) record\(count == 1 ? "" : "s") published to \(topic)")
    }

    private static func publish(
        _ file: String, _ line: PublishLine, _ bus: BusConfiguration, _ patience: Duration
    ) throws(CommandFailure) -> Int {
        var reader = try LineReader(file)
        let sender = try Sender(bus, patience)
        var progress = Progress(reader.size)
        var records: [Record] = []
        do throws(CommandFailure) {
            while let bytes = try reader.next() {
                guard bytes.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { continue }
                do throws(PublishLine.Mistake) {
                    records.append(try line.record(bytes))
                } catch {
                    throw CommandFailure(.wrong, "line \(reader.number): \(error.text)")
                }
                guard records.count == batch else { continue }
                try sender.send(records)
                records.removeAll(keepingCapacity: true)
                progress.show(sender.sent, reader.bytesRead)
            }
            try sender.send(records)
            try sender.finish()
        } catch {
            progress.end()
            var failure = error
            if error.code == .wrong {
                // What stands before the broken line is good, and is on its way.
                try sender.send(records)
                try sender.finish()
                failure.text += " (\(sender.sent) published before it)"
            }
            sender.close()
            throw failure
        }
        progress.end()
        sender.close()
        return sender.sent
    }

    /// Hands batches to the producer and remembers the first failure.
    private final class Sender {
        private let producer: BusProducer
        private let patience: Duration
        private let failure = Failure()
        private(set) var sent = 0

        final class Failure: Sendable {
            let first = Mutex<BusError?>(nil)
        }

        init(_ bus: BusConfiguration, _ patience: Duration) throws(CommandFailure) {
            self.patience = patience
            do throws(BusError) { producer = try BusProducer(bus) } catch { throw CommandFailure(error) }
        }

        func send(_ records: [Record]) throws(CommandFailure) {
            try check()
            guard !records.isEmpty else { return }
            let failure = failure
            do throws(BusError) {
                try producer.submit(records, deadline: .now + patience) { errors in
                    guard let error = errors.min(by: { $0.key < $1.key })?.value else { return }
                    failure.first.withLock { if $0 == nil { $0 = error } }
                }
            } catch {
                throw CommandFailure(error)
            }
            sent += records.count
        }

        func finish() throws(CommandFailure) {
            do throws(BusError) { try producer.flush(deadline: .now + patience) } catch { throw CommandFailure(error) }
            try check()
        }

        func close() { producer.close(deadline: .now + .seconds(1)) }

        private func check() throws(CommandFailure) {
            if let error = failure.first.withLock({ $0 }) { throw CommandFailure(error) }
        }
    }

    /// A line on a terminal that says how far it is; silent elsewhere.
    private struct Progress {
        private let size: Int?
        private let isShown = isatty(2) == 1
        private var next = ContinuousClock.now + .milliseconds(300)
        private var width = 0

        init(_ size: Int?) { self.size = size }

        mutating func show(_ records: Int, _ bytes: Int) {
            guard isShown, ContinuousClock.now >= next else { return }
            next = .now + .milliseconds(200)
            var text = "\(records) records"
            if let size, size > 0 {
                let done = min(30, bytes * 30 / size)
                text = "[" + String(repeating: "#", count: done) + String(repeating: " ", count: 30 - done) + "] " + text
            }
            write(text)
        }

        mutating func end() { if width > 0 { write("") } }

        private mutating func write(_ text: String) {
            let padding = String(repeating: " ", count: max(0, width - text.count))
            FileHandle.standardError.write(Data("\r\(text)\(padding)\(text.isEmpty ? "\r" : "")".utf8))
            width = text.count
        }
    }
}
