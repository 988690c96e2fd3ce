// A record counts only if it is valid, and a process that died while it opened a delegate counts, too.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "gpu/record.h"
#include "gpu_stand_in.h"

using namespace edgeemo;
namespace fs = std::filesystem;

namespace {

void test_records_are_written_whole() {
    const Folder folder;
    CHECK(put_on_record(folder.records(), "k", {false, 0.0, "two\nlines"}).empty());
    const Recalled read = recall(folder.records(), "k");
    CHECK(read.verdict && !read.verdict->usable && read.verdict->reason == "two lines");
    std::string odd(1, 'x');  // so that a cut falls within a character
    for (int i = 0; i < 3000; ++i) odd += "\xC3\xA9";
    CHECK(put_on_record(folder.records(), "k", {false, 0.0, odd}).empty());
    CHECK(recall(folder.records(), "k").verdict->reason == odd.substr(0, 2047));
    CHECK(put_on_record(folder.records(), "k", {false, 0.0, "a\xFFz"}).empty());
    CHECK(recall(folder.records(), "k").verdict->reason == "a\xEF\xBF\xBDz");
    CHECK(put_on_record(folder.records(), "k", {true, 0.4375, ""}).empty());
    CHECK(recall(folder.records(), "k").verdict->ratio == 0.4375);
    CHECK(std::distance(fs::directory_iterator(folder.records()), fs::directory_iterator()) == 1);
    CHECK(has(put_on_record("/proc/none", "k", {}), "cannot write in /proc/none"));
    CHECK(!recall(folder.records(), "none").verdict && recall(folder.records(), "none").trouble.empty());
}

void test_a_record_that_is_not_ours_is_not_believed() {
    const Folder folder;
    const std::string options = kPatient + folder.option();
    CHECK(probe(options).usable);
    const fs::path record = fs::directory_iterator(folder.records())->path();
    std::ifstream file(record);
    const std::string good((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto judged = [&](const std::string& text) {
        fs::remove_all(record);
        std::ofstream(record) << text;
        fs::permissions(record, fs::perms::owner_read | fs::perms::owner_write);
        const OpenedEngine opened = open_on("auto", options);
        return opened.delegate == "cpu" ? opened.reason : "believed";
    };
    CHECK(judged(good) == "believed");
    for (std::size_t size = 0; size < good.size(); size += 9)
        CHECK(has(judged(good.substr(0, size)), "is damaged"));
    CHECK(has(judged(good + "x"), "is damaged"));
    CHECK(has(judged(good + std::string(5000, ' ')), "is damaged"));
    std::string other = good;
    other[other.find("key ") + 4] = other[other.find("key ") + 4] == '0' ? '1' : '0';
    CHECK(has(judged(other), "is damaged"));
    for (const char* const ratio : {"-5", "1e6", "99999999999999999999", "0", ""}) {
        std::string bent = good;
        const std::size_t at = bent.find("ratio_millionths ") + 17;
        CHECK(has(judged(bent.replace(at, bent.find('\n', at) - at, ratio)), "is damaged"));
    }
    const std::string bad =
        "edgeemo-probe 1\n" + good.substr(16, 4 + 64 + 1) + "usable no\nratio_millionths 0\n";
    CHECK(has(judged(bad + "reason it \xC3\xA9\n"), "the GPU is not used: it \xC3\xA9"));
    CHECK(has(judged(bad + "reason it \xC3\n"), "is damaged"));
    CHECK(judged(good) == "believed");
    fs::permissions(record, fs::perms::group_write, fs::perm_options::add);
    CHECK(has(open_on("auto", options).reason, "is no plain file that only you can write"));
    fs::remove(record);
    CHECK(mkfifo(record.c_str(), 0600) == 0);  // does not hang
    CHECK(has(open_on("auto", options).reason, "is no plain file"));
    fs::remove(record);
    fs::create_symlink("/dev/zero", record);
    CHECK(has(open_on("auto", options).reason, "cannot read"));
    fs::remove(record);
    fs::create_directory(record);
    CHECK(open_on("auto", options).delegate == "cpu");
    CHECK(has(probe(options).reason,
              "the verdict is not kept"));  // the old verdict cannot be replaced, and the reason says so
}

bool marked(const Folder& folder) {
    for (const auto& file : fs::directory_iterator(folder.records()))
        if (file.path().string().find(".opening-") != std::string::npos) return true;
    return false;
}

void test_a_mark_of_the_living_says_nothing() {
    const Folder folder;
    CHECK(put_on_record(folder.records(), "k", {true, 0.5, ""}).empty());
    {
        const Opening one(folder.records(), "k"), another(folder.records(), "k");
        CHECK(one.trouble().empty() && another.trouble().empty() && marked(folder));
        CHECK(recall(folder.records(), "k").verdict->usable);
        CHECK(put_on_record(folder.records(), "k", {true, 0.5, ""}).empty() && marked(folder));
    }
    CHECK(!marked(folder) && recall(folder.records(), "k").verdict->usable);
    CHECK(Opening("", "k").trouble().empty());
    CHECK(has(Opening("/proc/none", "k").trouble(), "cannot mark in /proc/none that it is being opened"));
}

void test_a_mark_left_behind_is_a_refusal_until_a_new_verdict() {
    const Folder folder;
    CHECK(put_on_record(folder.records(), "k", {true, 0.5, ""}).empty());
    const pid_t host = fork();
    CHECK(host >= 0);
    if (host == 0) {
        const Opening opening(folder.records(), "k");
        _exit(0);
    }
    CHECK(waitpid(host, nullptr, 0) == host && marked(folder));
    const Opening living(folder.records(), "k");  // what others do does not excuse it
    const Recalled found = recall(folder.records(), "k");
    CHECK(found.died && !found.verdict->usable && has(found.verdict->reason, "did not come back"));
    CHECK(!recall(folder.records(), "another").died);
    for (const auto& file : fs::directory_iterator(folder.records()))  // not one that others may have made
        fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
    CHECK(!recall(folder.records(), "k").died);
    for (const auto& file : fs::directory_iterator(folder.records()))
        fs::permissions(file, fs::perms::others_write, fs::perm_options::remove);
    CHECK(recall(folder.records(), "k").died);
    CHECK(put_on_record(folder.records(), "k", {true, 0.5, ""}).empty());
    CHECK(!recall(folder.records(), "k").died && recall(folder.records(), "k").verdict->usable);
}

void test_a_driver_counts_by_its_library() {
    const Folder folder;
    const std::string library = folder.path() + "/libdriver.so", manifest = folder.path() + "/driver.json";
    for (const std::string& named : {library, std::string("./libdriver.so")}) {
        std::ofstream(library) << "a driver";
        std::ofstream(manifest) << R"({"ICD": {"library_path": ")" << named << R"("}})";
        const std::string one = drivers_at(manifest), all = drivers_at(folder.path());
        CHECK(drivers_at(manifest) == one && all != one);
        std::ofstream(library, std::ios::app) << ", another";
        CHECK(drivers_at(manifest) != one);
    }
    std::ofstream(manifest) << R"({"ICD": {"library_path": "libc.so.6"}})";  // a name the loader looks up
    const std::string looked_up = drivers_at(manifest);
    CHECK(has(looked_up, "libc.so.6 "));
    for (const char* const broken : {"", "{", "[]", R"({"ICD": 3})", R"({"ICD": {"library_path": 3}})"}) {
        std::ofstream(manifest) << broken;
        CHECK(drivers_at(manifest) != looked_up);
    }
    CHECK(drivers_at("/nowhere/driver.json") == "/nowhere\n");
}

}  // namespace

int main() {
    begin_with_no_folders();
    test_records_are_written_whole();
    test_a_record_that_is_not_ours_is_not_believed();
    test_a_mark_of_the_living_says_nothing();
    test_a_mark_left_behind_is_a_refusal_until_a_new_verdict();
    test_a_driver_counts_by_its_library();
    return 0;
}
