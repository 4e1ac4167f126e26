import Foundation
import Testing

@testable import Configuration

@Suite struct FileWatchTests {
    @Test func `Nothing changes by itself`() throws {
        try withFolder([("a", "1"), ("d/x", "")]) { folder in
            var watch = FileWatch([folder + "/a", folder + "/d", folder + "/missing"])
            #expect(look(&watch) == false)
            #expect(look(&watch) == false)
        }
    }

    @Test(arguments: ["write", "replace", "remove", "create", "add", "rename"])
    func `A change is seen once`(_ change: String) throws {
        try withFolder([("a", "1"), ("d/x", "")]) { folder in
            var watch = FileWatch([folder + "/a", folder + "/d", folder + "/missing"])
            let files = FileManager.default
            switch change {
            case "write": try "12".write(toFile: folder + "/a", atomically: false, encoding: .utf8)
            case "replace":
                try "2".write(toFile: folder + "/b", atomically: false, encoding: .utf8)
                #expect(rename(folder + "/b", folder + "/a") == 0)
            case "remove": try files.removeItem(atPath: folder + "/a")
            case "create": try "1".write(toFile: folder + "/missing", atomically: false, encoding: .utf8)
            case "add": try "1".write(toFile: folder + "/d/y", atomically: false, encoding: .utf8)
            default: try files.moveItem(atPath: folder + "/d/x", toPath: folder + "/d/z")
            }
            #expect(look(&watch) == true)
            #expect(look(&watch) == false)
        }
    }

    @Test func `Following other files loses no change of those already watched`() throws {
        try withFolder([("a", "1"), ("b", "1")]) { folder in
            var watch = FileWatch([folder + "/a"])
            try "12".write(toFile: folder + "/a", atomically: false, encoding: .utf8)
            watch.follow([folder + "/a", folder + "/b"])
            #expect(look(&watch) == true)
            watch.follow([folder + "/b"])
            try "123".write(toFile: folder + "/a", atomically: false, encoding: .utf8)
            #expect(look(&watch) == false)
        }
    }

    private func look(_ watch: inout FileWatch) -> Bool { watch.hasChanged() }
}
