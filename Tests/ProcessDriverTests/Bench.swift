import Foundation
import HubDriver
import HubModel
import InMemoryLogging
import Logging
import Testing

@testable import ProcessDriver
@testable import StandIns

/// A hostile process with a folder of its own, both gone with the test.
final class Bench: Sendable {
    let folder: String
    let driver: any Driver
    private let log: InMemoryLogHandler

    /// What has been logged, each with its level.
    var logged: [String] { log.entries.map { "\($0.level): \($0.message)" } }

    init(
        _ mode: String, settings: [String: String] = [:], companies: [CompanyID: String] = [:], change: (inout Launch) -> Void = { _ in }
    ) throws {
        folder = NSTemporaryDirectory() + "process-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var log = InMemoryLogHandler()
        log.logLevel = .debug
        self.log = log
        let place = folder
        do {
            try Data(Hostile.script.utf8).write(to: URL(fileURLWithPath: place + "/hostile.py"))
            let values = settings.merging(["folder": place, "command": "python3 -u hostile.py \(mode) '\(place)'"]) { $1 }
            var launch = try ProcessFactory.launch(
                DriverSettings(application: "shop", values: values, companies: companies), environment: ProcessInfo.processInfo.environment)
            launch.bounds.grace = .milliseconds(400)
            launch.bounds.restarts = Restarts(firstDelay: .milliseconds(100), longestDelay: .seconds(1))
            change(&launch)
            let log = self.log
            driver = try SupervisedProcess(launch, logger: Logger(label: "test") { _ in log }).driver()
        } catch {
            try? FileManager.default.removeItem(atPath: place)
            throw error
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func text(_ name: String) -> String {
        String(decoding: FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data(), as: UTF8.self)
    }

    /// The processes so far.
    var pids: [Int32] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasPrefix("pid-") }.compactMap {
            Int32($0.dropFirst(4))
        }
    }

    /// What a call's error is; nil where there is none.
    func failure(_ fields: Fields = ["price": 2]) async -> DriverError? {
        do throws(DriverError) {
            _ = try await driver.apply([delivery(fields)])
            return nil
        } catch {
            return error
        }
    }

    func delivery(_ fields: Fields = ["price": 2]) -> Delivery {
        Delivery(
            target: Target("shop", .shared, "product-1-7"), version: Version(generation: 1, number: 3), operation: .update, native: "thing",
            key: "7",
            reference: "product-1-7", fields: fields, expected: .init(token: "1", fields: ["price": 1]))
    }

    /// Calls until one succeeds, which it has to within some seconds.
    func recovers() async -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if await failure() == nil { return true }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }
}

/// True where no such process is there any more, not even as a zombie.
func isGone(_ pid: Int32) async -> Bool {
    for _ in 0..<200 {
        if kill(pid, 0) != 0 { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return false
}
