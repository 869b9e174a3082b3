import Foundation
import HubDriver
import HubModel

/// A live application reached over HTTP, as it is measured.
protocol MeasuredApplication: Sendable {
    var name: String { get }
    /// The type whose documents are made and changed.
    var native: String { get }
    func makeDriver(calls: Int) throws -> any Driver
    func creation(_ mark: String) -> Fields
    func change(_ mark: String) -> Fields
    func makeBareClient(calls: Int) async throws -> any BareClient
}

/// What somebody would write who needs just these updates: the requests that the application wants for one, and nothing around them.
protocol BareClient: Sendable {
    func update(_ key: NativeKey, _ mark: String) async throws
    func close() async
}

/// Updates through an application's driver, several at once, beside as many bare clients.
struct ApplicationBench {
    let size: BenchSize
    let application: any MeasuredApplication
    private static let calls = 4

    private var updatesOfEach: Int { size.isQuick ? 10 : 50 }

    func rows() throws -> [BenchRow] { try PostgresBench.wait { try await measured() } }

    private func measured() async throws -> [BenchRow] {
        let driver = try application.makeDriver(calls: Self.calls)
        let bare = try await application.makeBareClient(calls: Self.calls)
        var documents: [NativeDocument] = []
        for number in 0..<Self.calls { documents.append(try await create(number, driver)) }
        var (rates, baselines, microseconds): ([Double], [Double], [Double]) = ([], [], [])
        let count = Double(Self.calls * updatesOfEach)
        for run in 0...size.runs {
            BenchProgress.tell("\(application.name), run \(run)")
            let start = ContinuousClock.now
            try await atOnce(documents) { document, mark in
                try await bare.update(document.key, mark)
                return document
            }
            let middle = ContinuousClock.now
            documents = try await read(documents, driver)
            let (cpu, begun) = (Self.processTime, ContinuousClock.now)
            documents = try await atOnce(documents) { document, mark in try await update(document, mark, driver) }
            // The first one makes connections and is not counted.
            guard run > 0 else { continue }
            baselines.append(count / (middle - start).inSeconds)
            rates.append(count / (ContinuousClock.now - begun).inSeconds)
            microseconds.append((Self.processTime - cpu) / count * 1_000_000)
        }
        await bare.close()
        await driver.close()
        return [
            BenchRow(
                name: application.name,
                what: "conditional updates of \(application.native) through the driver, each read before and after, \(Self.calls) calls at "
                    + "once; baseline: \(Self.calls) bare clients that send the same requests", values: rates, unit: "updates/s",
                baselines: baselines, ratioTarget: .atLeast(0.9)),
            BenchRow(
                name: "\(application.name), CPU", what: "processor time of this process for each of these updates", values: microseconds,
                unit: "µs", target: .atMost(150)),
        ]
    }

    /// One update after the other of each document, all documents at once.
    @discardableResult
    private func atOnce(
        _ documents: [NativeDocument], _ update: @escaping @Sendable (NativeDocument, String) async throws -> NativeDocument
    ) async throws -> [NativeDocument] {
        let count = updatesOfEach
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
