import Foundation
import Glibc
import HTTPApplication
import HubDriver
import HubModel
import NIOCore
import Testing

@testable import REST
@testable import StandIns

enum Rates {
    /// Whether rates are measured.
    static let areWanted: Bool = {
        let isWanted = ProcessInfo.processInfo.environment["MULTIPOINT_RATES"] != nil
        if !isWanted { print("skipped: the REST driver's rate, as MULTIPOINT_RATES is not set (it needs a machine of its own)") }
        return isWanted
    }()
}

/// How fast the driver is beside bare clients that send the same requests; on a machine of its own.
@Suite("REST: rate", .serialized, .enabled(if: Rates.areWanted))
struct RateTests {
    private static let lanes = 8
    private static let rounds = 100
    private static let tries = 4

    @Test("With as many calls at once as bare clients, at least nine tenths of their rate")
    func rate() async throws {
        let server = try await StrictServer(delay: .milliseconds(10)) { request in
            .init(200, ["id": .string(String(request.path.split(separator: "/").last ?? "")), "name": "x", "v": "1"])
        }
        let text = """
            identity: { path: /me }
            limits: { calls: \(Self.lanes) }
            entities:
              - native: item
                entity: product
                key: id
                token: v
                read: { path: "/items/{key}" }
                update: { path: "/items/{key}", tells: document }
            """
        let driver = try RecipeFile(text).driver(["url": server.url])
        let bare = HTTPConnection(try HTTPSettings(url: server.url, connections: Self.lanes))
        var best = (driver: 0.0, bare: 0.0)
        var cost = Double.infinity
        for _ in 0..<Self.tries {
            let plain = try await measured { lane in
                let headers = [HTTPCall.Header("If-Match", "1"), HTTPCall.Header("Content-Type", "application/json")]
                let call = HTTPCall("PATCH", "/items/\(lane)", headers: headers, body: Array(#"{"name":"x"}"#.utf8), time: .seconds(10))
                return try await bare.send(call).isSuccess
            }
            best.bare = max(best.bare, plain.rate)
            let own = try await measured { lane in
                let update = delivery(.update, "item", "r-\(lane)", key: NativeKey(String(lane)), ["name": "x"], token: "1")
                return try await driver.one(update).document != nil
            }
            best.driver = max(best.driver, own.rate)
            cost = min(cost, own.microseconds)
        }
        print(
            "REST driver: \(Int(best.driver)) updates/s beside \(Int(best.bare)) of bare clients; the whole process, server too, \(Int(cost)) µs of CPU each"
        )
        #expect(best.driver >= 0.9 * best.bare)
        await driver.close()
        await bare.close()
    }

    private func measured(_ body: @escaping @Sendable (Int) async throws -> Bool) async throws -> (rate: Double, microseconds: Double) {
        let clock = ContinuousClock.now
        let before = Self.processTime()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<Self.lanes {
                group.addTask {
                    for _ in 0..<Self.rounds {
                        let isWritten = try await body(lane)
                        if !isWritten { throw DriverError(.noAnswer, "not written") }
                    }
                }
            }
            try await group.waitForAll()
        }
        let count = Double(Self.lanes * Self.rounds)
        let seconds = Double((ContinuousClock.now - clock).milliseconds) / 1000
        return (count / max(seconds, 0.001), (Self.processTime() - before) / count)
    }

    /// Microseconds of CPU that this process has used.
    private static func processTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1000
    }
}
