import ArgumentParser
import Foundation
import HubBus

/// `multipoint bus`
struct BusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bus",
        abstract: "Runs a small Kafka for trying things out and for fault tests.",
        discussion: """
            It keeps about 5 MB per partition and forgets everything when it ends: no place for real data. Its address is printed, and \
            written to --port-file once it can be used. It runs until SIGTERM or SIGINT.

              multipoint bus --port-file bus.address --topics crm.customer,erp.customer:8

            Lines on standard input inject faults, each answered with `ok` or `error: …`:

              errors produce not-leader 3    the next three produce requests fail so (clear produce: no more)
              down, up                       all brokers (down 2, up 2: one of them)
              leader crm.customer 0 none     a partition without a leader (or another broker's number)
              delay 50                       every answer takes 50 ms
              topic NAME 4, topic-error NAME not-leader, watermarks NAME…
            """)

    @Option(help: "Where to write the address.", completion: .file())
    var portFile: String?

    @Option(help: "Topics to create, with commas between: name or name:partitions.")
    var topics: String?

    @Option(help: "Partitions of topics that name none.")
    var partitions = 4

    @Option(help: "Brokers.")
    var brokers = 1

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard (1...1000).contains(partitions) else { throw ValidationError("--partitions has to be from 1 to 1000") }
        guard (1...10).contains(brokers) else { throw ValidationError("--brokers has to be from 1 to 10") }
        _ = try topicTable()
    }

    private func topicTable() throws -> [String: Int] {
        var table: [String: Int] = [:]
        for item in topics?.split(separator: ",") ?? [] {
            let parts = item.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, !parts[0].isEmpty, let count = parts.count == 2 ? Int(parts[1]) : partitions, (1...1000).contains(count)
            else { throw ValidationError("--topics \(item): write name or name:partitions") }
            table[String(parts[0])] = count
        }
        return table
    }

    func run() async throws {
        logging.setUp()
        let interruption = Interruption()
        let table = try topicTable()
        let (brokers, partitions, portFile) = (brokers, partitions, portFile)
        try await Blocking.run { () throws(CommandFailure) in
            let bus: EmbeddedBus
            do throws(BusError) {
                bus = try EmbeddedBus(brokers: brokers, partitions: partitions, topics: table)
            } catch {
                throw CommandFailure(error)
            }
            if let portFile { try Self.write(bus.bootstrap, portFile) }
            Output.line(bus.bootstrap)
            Self.listen(bus)
            interruption.wait()
            if let portFile { try? FileManager.default.removeItem(atPath: portFile) }
            bus.close()
        }
    }

    /// Whole or not at all, as somebody waits for it.
    static func write(_ address: String, _ file: String) throws(CommandFailure) {
        do {
            try Data((address + "\n").utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
        } catch {
            throw CommandFailure(.wrong, "\(file) cannot be written: \(error)")
        }
    }

    /// Obeys control lines, on a thread that ends with standard input or with the process.
    private static func listen(_ bus: EmbeddedBus) {
        // A background job that reads from its terminal would be stopped.
        if isatty(0) == 1, tcgetpgrp(0) != getpgrp() { return }
        Thread {
            while let line = readLine() {
                do {
                    for text in try ControlLine(line).apply(to: bus) { Output.line(text) }
                    Output.line("ok")
                } catch let mistake as ControlLine.Mistake {
                    Output.line("error: \(mistake.text)")
                } catch {
                    Output.line("error: \(error)")
                }
            }
        }.start()
    }
}
