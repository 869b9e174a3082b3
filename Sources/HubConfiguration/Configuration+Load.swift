package import HubDriver

extension Configuration {
    /// Reads a configuration file with all that it names: secrets, mapping files, the drivers' manifests. Touches no network.
    ///
    /// - Parameters:
    ///   - path: the file; other paths in it count from its folder.
    ///   - catalog: the drivers that there are.
    ///   - environment: where `{ env: NAME }` looks.
    ///   - needsSecrets: otherwise a secret that cannot be read is `-`: for commands that talk to no application.
    ///   - busCheck: says what is wrong with librdkafka's properties, each text beginning with the property's name and a colon.
    /// - Throws: all mistakes at once.
    package static func load(
        _ path: String, catalog: [any DriverFactory.Type], environment: [String: String],
        needsSecrets: Bool = true, busCheck: ([BusProperty]) -> [String] = { _ in [] }
    ) throws(ConfigurationMistakes) -> Configuration {
        let mistakes = MistakeList()
        let surroundings = Surroundings(file: path, environment: environment, needsSecrets: needsSecrets)
        var configuration: Configuration?
        if let text = Surroundings.text(of: path) {
            if let root = ConfigurationNode.read(text, file: path, mistakes: mistakes) {
                let reader = ConfigurationReader(root: root, catalog: catalog, surroundings: surroundings, mistakes: mistakes)
                configuration = reader.read(file: path, busCheck: busCheck)
            }
        } else {
            mistakes.add(
                Place(file: path, line: 0, column: 0), "", "cannot be read", "check that the file exists, is UTF-8 and may be read")
        }
        guard let configuration, mistakes.isEmpty else { throw ConfigurationMistakes(mistakes.sorted) }
        return configuration
    }
}
