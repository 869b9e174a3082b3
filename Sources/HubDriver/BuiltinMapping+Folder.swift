import FoundationEssentials

extension BuiltinMapping {
    /// The mappings in a folder, one YAML file per entity, by name; nil where there is no such folder.
    public static func all(inFolder folder: String) throws(DriverError) -> [BuiltinMapping]? {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return nil }
        var mappings: [BuiltinMapping] = []
        for name in names.sorted() where !name.hasPrefix(".") && (name.hasSuffix(".yaml") || name.hasSuffix(".yml")) {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(name)"), let text = String(validating: data, as: UTF8.self)
            else { throw DriverError(.configuration, "\(folder)/\(name) cannot be read, or is not UTF-8") }
            mappings.append(BuiltinMapping(fileName: name, text: text, path: "\(folder)/\(name)"))
        }
        return mappings
    }
}
