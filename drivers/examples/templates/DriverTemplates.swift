/// The files of a new driver that runs as it is, on a stand-in for its application.
package struct DriverTemplates: Sendable {
    /// One file.
    package struct File: Sendable, Hashable {
        /// From the folder that the driver is written into.
        package var path: String
        package var text: String
        package var isExecutable = false
    }

    /// As configurations name it: `my-shop`.
    package let name: String
    /// As Swift names it: `MyShop`.
    package let type: String

    /// nil where the name is not made of letters, digits and single dashes between them, a letter first.
    package init?(name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
        }
        guard isPlain, name.utf8.count <= 40, let first = name.first, first.isLetter else { return nil }
        self.name = name
        type = parts.map { part in part.prefix(1).uppercased() + String(part.dropFirst()) }.joined()
    }

    /// A driver in a process of its own, in Python: one folder.
    package var python: [File] {
        [
            File(path: "driver", text: filled(PackageResources.python_driver_txt), isExecutable: true),
            File(path: "multipoint_driver.py", text: filled(PackageResources.multipoint_driver_py)),
            File(path: "http_service.py", text: filled(PackageResources.python_http_txt)),
            File(path: "mappings/customer.yaml", text: filled(PackageResources.python_mapping_txt)),
            File(path: "samples.json", text: filled(PackageResources.python_samples_txt)),
            File(path: "hub.yaml", text: filled(PackageResources.python_hub_txt)),
            File(path: "README.md", text: filled(PackageResources.python_readme_txt)),
        ]
    }

    /// A driver in Swift: files of this repository.
    package var swift: [File] {
        let folder = "drivers/\(type)"
        return [
            File(path: "\(folder)/\(type)Driver.swift", text: filled(PackageResources.swift_driver_txt)),
            File(path: "\(folder)/\(type)Factory.swift", text: filled(PackageResources.swift_factory_txt)),
            File(path: "\(folder)/\(type)StandIn.swift", text: filled(PackageResources.swift_standin_txt)),
            File(path: "\(folder)/README.md", text: filled(PackageResources.swift_readme_txt)),
            File(path: "\(folder)/mappings/\(name)-customer.yaml", text: filled(PackageResources.python_mapping_txt)),
            File(path: "Tests/\(type)Tests/\(type)ConformanceTests.swift", text: filled(PackageResources.swift_tests_txt)),
        ]
    }

    private func filled(_ bytes: [UInt8]) -> String {
        var text = String(decoding: bytes, as: UTF8.self)
        let resource = name.split(separator: "-").joined(separator: "_")
        for (place, word) in [("{{NAME}}", name), ("{{TYPE}}", type), ("{{RESOURCE}}", resource)] {
            text = text.replacing(place, with: word)
        }
        return text
    }
}
