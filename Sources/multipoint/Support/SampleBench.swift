import Foundation
import HubDriver
import HubModel
import HubTestKit
import Synchronization

/// A driver as `multipoint driver test` has it tried: by settings and a file of samples.
final class SampleBench: DriverBench {
    let faults: any FaultInjector
    private let factory: any DriverFactory.Type
    private let settings: DriverSettings
    private let file: SampleFile
    /// What people do goes past the proxy.
    private let people: any Driver
    private let keys = Mutex<[String: NativeKey]>([:])

    /// - Parameter proxy: the setting that holds the application's address; nil: no faults can be made.
    init(_ chosen: DriverChoice.Chosen, samples: SampleFile, proxy: String?) throws(CommandFailure) {
        factory = chosen.factory
        file = samples
        var settings = chosen.settings
        if let proxy {
            guard let address = settings.values[proxy], let place = Address(address) else {
                throw CommandFailure(.wrong, "--proxy \(proxy): that setting holds no address such as http://127.0.0.1:8085")
            }
            do {
                let made = try TCPProxy(to: place.host, place.port)
                settings.values[proxy] = place.moved(to: made.port)
                faults = made
            } catch {
                throw CommandFailure(.notWell, "--proxy \(proxy): \(error)")
            }
        } else {
            faults = NoFaults()
        }
        self.settings = settings
        people = try chosen.make()
    }

    func close() async { await people.close() }

    func makeDriver() async throws -> any Driver { try factory.make(settings) }

    var samples: [Sample] { file.entries.map(sample) }

    var questions: [QuestionSample] {
        file.questions.map { question in
            QuestionSample(question.function, company: question.company, unknown: question.unknown) {
                try await self.ready(question.arguments)
            }
        }
    }

    private func sample(_ entry: SampleFile.Entry) -> Sample {
        var sample = Sample(entry.native, company: entry.company) { mark in
            try await self.ready(SampleFile.marked(entry.create, mark))
        } change: { mark in
            SampleFile.marked(entry.change, mark)
        }
        sample.probes = entry.texts.map { FieldProbe.text($0) }
        sample.probes += entry.decimals.sorted { $0.key < $1.key }.map { FieldProbe.decimal($0.key, scale: $0.value) }
        sample.probes += entry.dates.map { FieldProbe.date($0) }
        sample.breaches = entry.rules.map { breach($0, entry) }
        if let edit = entry.edit {
            sample.edit = { key, mark in
                let fields = SampleFile.marked(edit, mark)
                try await self.write(entry, key, fields)
                return fields
            }
        }
        return sample
    }

    private func breach(_ rule: SampleFile.Rule, _ entry: SampleFile.Entry) -> Breach {
        if let reason = rule.reason { return .cannotBeBroken(rule.name, because: reason) }
        return Breach(rule.name, on: rule.operation) { delivery, mark in
            let spoilt = try await self.ready(SampleFile.marked(rule.set, mark))
            delivery.fields = delivery.fields.overlaid(with: spoilt)
            if rule.isTwice {
                let first = try await self.ready(SampleFile.marked(entry.create, mark)).overlaid(with: spoilt)
                _ = try await self.document(entry, first)
            }
        }
    }

    // MARK: People

    /// The members with the keys of documents that are made for them.
    private func ready(_ fields: Fields) async throws -> Fields {
        for native in SampleFile.wanted(.object(fields)) where keys.withLock({ $0[native] }) == nil {
            guard let entry = file.entries.first(where: { $0.native == native }) else {
                throw SampleFile.Mistake(text: "$key:\(native) stands for a document, and there is no sample of \(native)")
            }
            let mark = UUID().uuidString.prefix(8).lowercased()
            let made = try await document(entry, try await ready(SampleFile.marked(entry.create, mark)))
            keys.withLock { $0[native] = $0[native] ?? made.key }
        }
        return SampleFile.keyed(.object(fields), keys.withLock { $0 }).object ?? fields
    }

    private func document(_ entry: SampleFile.Entry, _ fields: Fields) async throws -> NativeDocument {
        let reference = CanonicalID("people-\(UUID().uuidString)")
        return try await answered(
            Delivery(
                target: Target(settings.application, .shared, reference), version: Version(generation: 1, number: 1), operation: .create,
                native: entry.native, company: entry.company, reference: reference, fields: fields))
    }

    private func write(_ entry: SampleFile.Entry, _ key: NativeKey, _ fields: Fields) async throws {
        let reading = people as? any Reading
        let present = try await reading?.read([ReadRequest(native: entry.native, company: entry.company, key: key)]).first ?? nil
        let reference = present?.reference ?? "people"
        _ = try await answered(
            Delivery(
                target: Target(settings.application, .shared, reference), version: Version(generation: 1, number: 2), operation: .update,
                native: entry.native, company: entry.company, key: key, reference: reference, fields: fields,
                expected: .init(token: present?.token, fields: Fields())))
    }

    private func answered(_ delivery: Delivery) async throws -> NativeDocument {
        switch try await people.apply([delivery]).first {
        case .written(let document), .unchanged(let document): return document
        case let answer:
            throw DriverError(.protocolViolation, "a sample of \(delivery.native) was answered \(answer.map { "\($0)" } ?? "by nothing")")
        }
    }

    /// `http://127.0.0.1:8085/api` or `127.0.0.1:5432`.
    private struct Address {
        var before: String
        var host: String
        var port: Int
        var after: String

        init?(_ text: String) {
            let scheme = text.range(of: "://").map { String(text[..<$0.upperBound]) } ?? ""
            let rest = text.dropFirst(scheme.count)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            let name = authority.split(separator: "@").last ?? ""
            let parts = name.split(separator: ":")
            guard let first = parts.first, parts.count < 3 else { return nil }
            guard let port = parts.count == 2 ? Int(parts[1]) : ["http://": 80, "https://": 443][scheme] else { return nil }
            before = scheme + String(authority.dropLast(name.count))
            host = String(first)
            self.port = port
            after = String(rest.dropFirst(authority.count))
        }

        func moved(to port: Int) -> String { "\(before)127.0.0.1:\(port)\(after)" }
    }
}
