import Foundation
import HubCodec
import HubConfiguration
import HubDriver
import HubModel
import HubRules
import HubStore

/// What `multipoint discover` has to tell.
struct DiscoveryReport {
    private let application: ApplicationID
    private let discovery: Discovery
    private let comparison: DiscoveryComparison
    private let only: String?
    /// What the running hub made of it; nil where none runs.
    var hub: String?

    /// Asks the application, and compares.
    static func make(
        _ configuration: Configuration, _ id: ApplicationID, only: String?, timeout: Duration
    ) async throws(CommandFailure) -> DiscoveryReport {
        guard let application = configuration.application(id) else {
            let names = configuration.applications.map(\.id.rawValue).joined(separator: ", ")
            throw CommandFailure(.wrong, "\(configuration.file) has no application \(id); it has \(names)")
        }
        guard let driver = application.driver as? any Discovering else {
            throw CommandFailure(.notWell, "the driver \(application.driverName) cannot say what its application holds")
        }
        let answer: Result<Discovery, DriverError>? = await Limit.first(within: timeout) {
            do throws(DriverError) { return .success(try await driver.discover()) } catch { return .failure(error) }
        }
        let discovery: Discovery
        switch answer {
        case .success(let found): discovery = found
        case .failure(let error): throw CommandFailure(.notWell, "\(id): \(error)")
        case nil: throw CommandFailure(.notWell, "\(id): no answer within \(timeout.components.seconds) s")
        }
        if let only, !discovery.types.contains(where: { $0.native == only }) {
            let near = Suggestion.nearest(only, discovery.types.map(\.native)).map { "; did you mean \($0)?" } ?? ""
            throw CommandFailure(.wrong, "\(id) has no type \(only), or its user may not see it\(near)")
        }
        let plan = configuration.plan()
        guard let target = plan.applications[id] else { throw CommandFailure(.wrong, "there is no application \(id)") }
        let hasStore = configuration.storeServer != nil || FileManager.default.fileExists(atPath: configuration.storePath)
        let comparison: DiscoveryComparison
        if hasStore {
            comparison = try await StoreAccess.read(configuration) {
                try DiscoveryNotes.compare(discovery, target, plan: plan, now: .now, in: $0)
            }
        } else {
            comparison = DiscoveryComparison(of: discovery, target, plan: plan, last: nil, known: nil, now: .now)
        }
        return DiscoveryReport(application: id, discovery: discovery, comparison: comparison, only: only, hub: nil)
    }

    var isWell: Bool { findings.isEmpty }

    var findings: [DiscoveryFinding] {
        comparison.findings.filter { only == nil || $0.native == nil || $0.native == only }
    }
    private var types: [DiscoveredType] { discovery.types.filter { only == nil || $0.native == only } }
    private var offers: [MappingOffer] { comparison.offers.filter { only == nil || $0.native == only } }

    // MARK: For people

    var lines: [String] {
        let identity = discovery.identity
        var lines = ["\(application): \(identity.instance), version \(identity.version)"]
        lines +=
            Table(
                ["TYPE", "LABEL", "FIELDS", "RIGHTS"],
                types.map { type in
                    [
                        type.native, type.label ?? "", "\(type.fields.count)",
                        type.rights.map { $0.map(\.rawValue).sorted().joined(separator: ", ") } ?? "not told",
                    ]
                }
            ).lines
        if !discovery.functions.isEmpty { lines.append("functions: \(discovery.functions.joined(separator: ", "))") }
        lines.append(isWell ? "the application is as its mappings expect" : "not as the mappings expect:")
        lines += findings.map { "  \($0.code.rawValue): \($0)" + ($0.holdsDeliveries ? " [deliveries wait]" : "") }
        for offer in offers {
            let place = offer.list.map { ", elements of \($0)" } ?? ""
            lines += [
                "", "fields of \(offer.native) that no mapping uses\(place), for \(offer.makesFile ? "a new file " : "")\(offer.file):", "",
            ]
            lines += offer.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        if let hub { lines += ["", "the running hub: \(hub)"] }
        return lines
    }

    // MARK: For programs

    var value: Value {
        var fields: Fields = [
            "application": .string(application.rawValue), "instance": .string(discovery.identity.instance),
            "version": .string(discovery.identity.version), "well": .bool(isWell), "types": .array(types.map(Self.value)),
            "functions": .array(discovery.functions.map { .string($0) }), "findings": .array(findings.map(Self.value)),
            "offers": .array(offers.map(Self.value)),
        ]
        fields["hub"] = hub.map { .string($0) }
        return .object(fields)
    }

    private static func text(_ text: String?) -> Value { text.map { .string($0) } ?? .null }

    private static func value(_ type: DiscoveredType) -> Value {
        [
            "native": .string(type.native), "label": text(type.label),
            "rights": type.rights.map { .array($0.map(\.rawValue).sorted().map { .string($0) }) } ?? .null,
            "fields": .array(
                type.fields.map { field in
                    [
                        "path": .string(field.path), "kind": .string(field.kind.rawValue), "nativeKind": .string(field.nativeKind),
                        "label": text(field.label), "required": .bool(field.isRequired), "readOnly": .bool(field.isReadOnly),
                        "codes": field.codes.map { .array($0.map { .string($0) }) } ?? .null,
                    ]
                }),
        ]
    }

    private static func value(_ finding: DiscoveryFinding) -> Value {
        [
            "code": .string(finding.code.rawValue), "holdsDeliveries": .bool(finding.holdsDeliveries),
            "refusesField": .bool(finding.refusesField), "entity": text(finding.entity?.rawValue), "type": text(finding.native),
            "field": text(finding.field), "path": text(finding.path), "file": text(finding.place?.file),
            "line": finding.place.map { .number(Number(Int64($0.line))) } ?? .null, "text": .string(finding.text),
        ]
    }

    private static func value(_ offer: MappingOffer) -> Value {
        [
            "type": .string(offer.native), "entity": .string(offer.entity.rawValue), "file": .string(offer.file), "list": text(offer.list),
            "makesFile": .bool(offer.makesFile), "head": .array(offer.head.map { .string($0) }),
            "lines": .array(
                offer.lines.map { ["path": .string($0.path), "text": .string($0.text), "new": .bool($0.isNew)] }),
        ]
    }
}
