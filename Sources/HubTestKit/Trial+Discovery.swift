import HubDriver
import HubModel

extension Trial {
    private func discovery() async throws -> Discovery {
        guard let driver = driver as? any Discovering else { throw Verdict.absent("the driver cannot say what its application holds") }
        return try await limited("a discovery") { try await driver.discover() }
    }

    /// Every native type of the manifest is found, once, in the application that a probe names.
    func discoveredTypes() async throws -> String {
        let found = try await discovery()
        let identity = try await limited("a probe") { [driver] in try await driver.probe() }
        try Verdict.require(
            found.identity.instance == identity.instance,
            "the instance is \(found.identity.instance), and a probe says \(identity.instance)")
        let natives = found.types.map(\.native)
        try Verdict.require(Set(natives).count == natives.count, "a type is told twice")
        let missing = manifest.entities.map(\.native).filter { !natives.contains($0) }
        try Verdict.require(missing.isEmpty, "the manifest has \(missing.joined(separator: ", ")), which is not found")
        let mute = manifest.functions.map(\.name).filter { !found.functions.contains($0) }
        try Verdict.require(mute.isEmpty, "the manifest has the function \(mute.joined(separator: ", ")), which is not found")
        return "\(natives.count) types"
    }

    private func discovered() async throws -> DiscoveredType {
        guard let type = try await discovery().types.first(where: { $0.native == sample.native }) else {
            throw Verdict.failed("\(sample.native) is not found")
        }
        return type
    }

    /// Every member that the bench writes, and every one that it names as mapped, is found, once.
    func discoveredFields() async throws -> String {
        let type = try await discovered()
        let paths = type.fields.map(\.path)
        try Verdict.require(Set(paths).count == paths.count, "a field is told twice")
        var wanted = Set(sample.mapped)
        if creates() { wanted.formUnion(try await sample.create(marks.next()).names) }
        if updates() { wanted.formUnion(sample.change(marks.next()).names) }
        let missing = wanted.filter { name in !paths.contains(name) && !paths.contains { $0.hasPrefix(name + ".") } }.sorted()
        try Verdict.require(missing.isEmpty, "\(missing.joined(separator: ", ")) is written or mapped, and not found")
        let set = type.fields.filter { $0.codes?.isEmpty == true }.map(\.path)
        try Verdict.require(set.isEmpty, "\(set.joined(separator: ", ")) has a list of codes without a code; leave it nil")
        return "\(paths.count) fields"
    }

    /// The rights of the driver's user are told, and allow what the manifest says that the driver does.
    func discoveredRights() async throws -> String {
        guard let rights = try await discovered().rights else { throw Verdict.absent("the application does not tell its user's rights") }
        var needed: Set<DiscoveredType.Right> = [.read]
        if creates() { needed.insert(.create) }
        if updates() { needed.insert(.update) }
        let missing = needed.subtracting(rights).map(\.rawValue).sorted()
        try Verdict.require(
            missing.isEmpty, "\(missing.joined(separator: ", ")) is not among the rights, and the manifest says that the driver does it")
        return rights.map(\.rawValue).sorted().joined(separator: ", ")
    }
}
