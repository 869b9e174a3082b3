import Foundation
import HubDriver
import HubModel

/// Updates through an application's driver, several at once, beside as many bare clients.
struct ApplicationBench {
    let size: BenchSize
    let application: any MeasuredApplication
    private static let calls = 4

    func rows() throws -> [BenchRow] { try PostgresBench.wait { try await measured() } }

    /// What some updates took.
    private struct Usage {
        var seconds: Double
        /// Processor time of this process.
        var processor: Double
    }

    private func measured() async throws -> [BenchRow] {
        let driver = try application.makeDriver(calls: Self.calls)
        let bare = try await application.makeBareClient(calls: Self.calls)
        var documents: [NativeDocument] = []
        for number in 0..<Self.calls { documents.append(try await create(number, driver)) }
        var own: [Usage] = []
        var bares: [Usage] = []
        for run in 0...size.runs {
            BenchProgress.tell("\(application.name), run \(run)")
            documents = try await read(documents, driver)
            let (_, bareUsage) = try await usage(documents) { document, mark in
                var document = document
                document.token = try await bare.update(document.key, document.token, mark)
                return document
            }
            documents = try await read(documents, driver)
            let (after, usage) = try await usage(documents) { document, mark in try await update(document, mark, driver) }
            documents = after
            // The first one makes connections and is not counted.
            guard run > 0 else { continue }
            bares.append(bareUsage)
            own.append(usage)
        }
        await bare.close()
        await driver.close()
        return rows(own, bares)
    }

    private func rows(_ own: [Usage], _ bares: [Usage]) -> [BenchRow] {
        let count = Double(Self.calls * application.updates(size))
        let name = application.name
        let perUpdate = own.map { $0.processor / count * 1_000_000 }
        let perBare = bares.map { $0.processor / count * 1_000_000 }
        return [
            BenchRow(
                name: name,
                what: "updates of \(application.native) through the driver (\(application.way)), \(Self.calls) calls at once; baseline: "
                    + "\(Self.calls) bare clients that send the same requests with AsyncHTTPClient",
                values: own.map { count / $0.seconds }, unit: "updates/s", baselines: bares.map { count / $0.seconds },
                ratioTarget: .atLeast(0.9)),
            BenchRow(
                name: "\(name), CPU", what: "processor time of this process for each update through the driver, HTTP and JSON included",
                values: perUpdate, unit: "µs", target: .atMost(150)),
            BenchRow(
                name: "\(name), CPU of bare clients", what: "the same for each update of the bare clients", values: perBare, unit: "µs"),
            BenchRow(
                name: "\(name), CPU added", what: "the difference: what the hub's driver and its HTTP client add to the bare clients",
                values: zip(perUpdate, perBare).map { $0 - $1 }, unit: "µs"),
        ]
    }

    private func usage(
        _ documents: [NativeDocument], _ update: @escaping @Sendable (NativeDocument, String) async throws -> NativeDocument
    ) async throws -> ([NativeDocument], Usage) {
        let (processor, start) = (Self.processTime, ContinuousClock.now)
        let after = try await atOnce(documents, update)
        return (after, Usage(seconds: (ContinuousClock.now - start).inSeconds, processor: Self.processTime - processor))
    }

    /// One update after the other of each document, all documents at once.
    private func atOnce(
        _ documents: [NativeDocument], _ update: @escaping @Sendable (NativeDocument, String) async throws -> NativeDocument
    ) async throws -> [NativeDocument] {
        let count = application.updates(size)
        return try await withThrowingTaskGroup(of: NativeDocument.self) { group in
            for document in documents {
                group.addTask {
                    var document = document
                    for _ in 0..<count { document = try await update(document, Self.mark()) }
                    return document
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func mark() -> String { String(UInt64.random(in: .min ... .max), radix: 36) }

    private func create(_ number: Int, _ driver: any Driver) async throws -> NativeDocument {
        let id = CanonicalID("bench-\(Self.mark())-\(number)")
        return try await written(
            Delivery(
                target: Target("bench", .shared, id), version: Version(generation: 1, number: 1), operation: .create,
                native: application.native, reference: id, fields: application.creation(Self.mark())), driver)
    }

    private func update(_ document: NativeDocument, _ mark: String, _ driver: any Driver) async throws -> NativeDocument {
        let id = document.reference ?? CanonicalID(document.key.rawValue)
        return try await written(
            Delivery(
                target: Target("bench", .shared, id), version: Version(generation: 1, number: 1), operation: .update,
                native: application.native, key: document.key, reference: id, fields: application.change(mark),
                expected: Delivery.Expectation(token: document.token, fields: document.fields)), driver)
    }

    private func written(_ delivery: Delivery, _ driver: any Driver) async throws -> NativeDocument {
        guard case .written(let document) = try await driver.apply([delivery]).first else {
            throw BenchFailure("a delivery to \(application.name) was not written")
        }
        return document
    }

    private func read(_ documents: [NativeDocument], _ driver: any Driver) async throws -> [NativeDocument] {
        guard let reading = driver as? any Reading else { return documents }
        let requests = documents.map { ReadRequest(native: application.native, company: nil, key: $0.key) }
        return try await reading.read(requests).compactMap(\.self)
    }

    /// In seconds.
    private static var processTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1_000_000_000
    }
}
