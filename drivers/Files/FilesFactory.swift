package import HubDriver

/// Makes the driver `files`: CSV and NDJSON files in a folder.
package enum FilesFactory: DriverFactory {
    package static let name = "files"

    package static let settings: [SettingDescription] = [
        SettingDescription("inbound", "the folder into which the other program puts files", isPath: true),
        SettingDescription("outbound", "the folder into which the hub puts files", isPath: true),
        SettingDescription(
            "types", "what is in them, one type each: customer: in=customers*.csv out=customers key=id columns=id,name,limit:number",
            isRequired: true),
        SettingDescription("archive", "where files go that have been read (archive in the inbound folder)", isPath: true),
        SettingDescription(
            "state", "where the driver keeps its record (.multipoint in the outbound folder, else the inbound one)", isPath: true),
        SettingDescription("batch", "deliveries in one file at most (500)"),
        SettingDescription("answerMilliseconds", "how long the hub waits for an answer (10000)"),
        SettingDescription("settleMilliseconds", "after this time a call takes effect no more (15000); longer than answerMilliseconds"),
    ]

    /// Columns are the user's own: so are the mappings.
    package static let mappings: [BuiltinMapping] = []

    package static func make(_ settings: DriverSettings) throws(DriverError) -> any Driver {
        let types = try TypeDeclaration.all(settings.values["types"] ?? "", of: settings.application)
        let paths = FolderPaths(
            inbound: settings.values["inbound"], outbound: settings.values["outbound"], archive: settings.values["archive"],
            state: settings.values["state"])
        guard let paths else { throw DriverError(.configuration, "\(settings.application) needs the setting inbound or outbound.") }
        try check(types, paths, settings)
        let answer = try settings.number("answerMilliseconds", 10_000, 200...600_000)
        let settle = try settings.number("settleMilliseconds", answer + 5000, answer + 1...1_200_000)
        let manifest = Manifest(
            driver: name, version: "1.0", summary: "CSV and NDJSON files in a folder", entities: types.map(\.manifest),
            settleTime: .milliseconds(settle), answerTime: .milliseconds(answer),
            limits: Manifest.Limits(batch: try settings.number("batch", 500, 1...10_000), concurrentCalls: 2), window: window)
        return FilesDriver(manifest: manifest, types: types, paths: paths)
    }

    private static func check(_ types: [TypeDeclaration], _ paths: FolderPaths, _ settings: DriverSettings) throws(DriverError) {
        for type in types {
            if type.inbound != nil, paths.inbound == nil {
                throw DriverError(.configuration, "\(settings.application): \(type.native) has in=, and there is no setting inbound.")
            }
            if type.outbound != nil, paths.outbound == nil {
                throw DriverError(.configuration, "\(settings.application): \(type.native) has out=, and there is no setting outbound.")
            }
        }
        if paths.inbound == paths.outbound {
            throw DriverError(.configuration, "\(settings.application): inbound and outbound have to be different folders.")
        }
    }

    private static let window = """
        Written means that the file is in the outbound folder, whole and once; whether the other program takes it, and what it makes of it, no \
        file tells. The version token guards against what the other program has dropped, not against what it has not dropped yet: such a \
        change is heard later, and the fields' owner decides. Several changes between two files are one.
        """
}
