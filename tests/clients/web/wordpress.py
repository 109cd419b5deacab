#!/usr/bin/python3
"""WordPress in a browser: its installer, then posts, pages, comments, terms, media and users. usage: wordpress.py PORT"""
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from browser import Site  # noqa: E402
from database import PORT, sql  # noqa: E402

ADMIN = ("editor", "Blue-Whale-17-Sings")
PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db0"
                    "0000000049454e44ae426082")


def one(statement, *values):
    return sql(statement, *values)[0][0]


def prepare(site):
    for statement in ("DROP DATABASE IF EXISTS wordpress", "DROP USER IF EXISTS wordpress", "CREATE DATABASE wordpress",
                      "CREATE USER wordpress IDENTIFIED BY 'S3cret!word'", "GRANT ALL PRIVILEGES ON wordpress.* TO wordpress"):
        sql(statement)
    site.copy("/usr/share/wordpress")
    (site.root / "wp-config.php").unlink()  # the installer writes one
    site.start()


def log_in(site, user, password, outcome):
    site.open("wp-login.php")
    # The page's script empties the field once, a moment after it gave it the focus.
    site.wait(lambda: site.run("return document.activeElement.id === 'user_login'"), "the focus")
    time.sleep(0.5)
    site.fill("#user_login", user).fill("#user_pass", password).press("#wp-submit")
    site.shows(outcome)


def install(site):
    site.open("wp-admin/setup-config.php?step=0")
    site.link("Let’s go!").settle()
    site.fill("#dbname", "wordpress").fill("#uname", "wordpress").fill("#pwd", "S3cret!word").fill("#dbhost", f"127.0.0.1:{PORT}")
    site.fill("#prefix", "wp_").link("Submit")
    site.shows("communicate with your database")
    site.link("Run the installation")
    site.fill("#weblog_title", "Northern Lights ☃").fill("#user_login", ADMIN[0])
    site.fill("#pass1", ADMIN[1]).fill("#admin_email", "editor@example.org").link("Install WordPress")
    site.shows("WordPress has been installed")
    log_in(site, ADMIN[0], "wrong", "is incorrect")
    log_in(site, *ADMIN, "At a Glance")
    assert one("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'wordpress'") == 12
    assert one("SELECT option_value FROM wordpress.wp_options WHERE option_name = 'blogname'") == "Northern Lights ☃"


def write(site, kind, title, content, **more):
    """A post or page in the block editor, through what its own buttons call."""
    site.open(f"wp-admin/post-new.php?post_type={kind}")
    site.wait(lambda: site.run("return window.wp?.data?.select('core/editor')?.getCurrentPostId()"), "the editor")
    site.driver.set_script_timeout(60)
    saved = site.driver.execute_async_script("""
        const [edits, done] = arguments, editor = wp.data.dispatch('core/editor');
        editor.editPost(edits);
        editor.resetBlocks(wp.blocks.parse(edits.content));
        editor.savePost().then(() => done([wp.data.select('core/editor').getCurrentPostId(),
                                           wp.data.select('core/editor').didPostSaveRequestSucceed()]));""",
        {"title": title, "content": f"<!-- wp:paragraph -->\n<p>{content}</p>\n<!-- /wp:paragraph -->", "status": "publish", **more})
    assert saved[1], (title, site.text()[:2000])
    return saved[0]


def check_posts(site):
    first = write(site, "post", "Aurora over Tromsø", "Green curtains, 😀 and a \\ backslash with 'quotes'.", excerpt="short")
    second = write(site, "post", "Whale song", "Deep voices under the ice.")
    page = write(site, "page", "About us", "Two people and a boat.")
    assert one("SELECT post_title FROM wordpress.wp_posts WHERE ID = %s", first) == "Aurora over Tromsø"
    assert "😀 and a \\ backslash with 'quotes'" in one("SELECT post_content FROM wordpress.wp_posts WHERE ID = %s", first)
    site.open(f"?p={first}").shows("Green curtains")
    site.open(f"?page_id={page}").shows("Two people and a boat.")
    site.open("?s=curtains").shows("Aurora over Tromsø")
    assert "Whale song" not in site.run("return document.querySelector('main').innerText")
    site.open("?s=nothingofthekind")
    site.open("wp-admin/edit.php?s=Whale").shows("Whale song").shows("1 item")
    site.open("wp-admin/edit.php?orderby=title&order=desc&post_status=publish").shows("3 items")
    site.open("?feed=rss2")
    return first, second


def check_comments(site, post):
    site.open(f"?p={post}")
    site.fill("#comment", "What a sight! 100% \\ ☃").press("#submit")
    site.shows("What a sight!")
    comment, = sql("SELECT comment_ID, comment_content, comment_approved, user_id FROM wordpress.wp_comments WHERE comment_post_ID = %s", post)
    assert comment[1:] == ("What a sight! 100% \\ ☃", "1", 1), comment
    assert one("SELECT comment_count FROM wordpress.wp_posts WHERE ID = %s", post) == 1
    site.open("wp-admin/edit-comments.php?s=sight").shows("1 item")
    site.open(f"wp-admin/comment.php?action=editcomment&c={comment[0]}")
    site.fill("#content", "Edited words").press("#save")
    site.shows("Edited words")
    assert one("SELECT comment_content FROM wordpress.wp_comments WHERE comment_ID = %s", comment[0]) == "Edited words"


def check_terms(site, post):
    site.open("wp-admin/edit-tags.php?taxonomy=category")
    for name in ("Nature", "Ships"):
        site.fill("#tag-name", name).fill("#tag-description", f"All about {name}").press("#submit")
        site.wait(lambda: sql("SELECT * FROM wordpress.wp_terms WHERE name = %s", name), f"the category {name}")
        site.settle()
        site.check()
    site.open("wp-admin/edit-tags.php?taxonomy=category&s=Ship").shows("1 item")
    # Quick edit of the post: title, category and tags.
    site.open("wp-admin/edit.php")
    site.run(f"inlineEditPost.edit(document.querySelector('#post-{post}'))")
    site.fill(f"#edit-{post} [name=post_title]", "Aurora over Tromsø, again").fill(f"#edit-{post} [name='tax_input[post_tag]']", "night, Night, green")
    for box in site.all(f"#edit-{post} .category-checklist li"):
        if "Nature" in box.text:
            site.press(box.find_element("css selector", "input"))
    site.press(f"#edit-{post} .save")
    site.wait(lambda: one("SELECT post_title FROM wordpress.wp_posts WHERE ID = %s", post).endswith("again"), "the quick edit")
    site.settle()
    terms = sql("SELECT t.name, x.taxonomy, x.count FROM wordpress.wp_term_relationships r JOIN wordpress.wp_term_taxonomy x "
                "USING (term_taxonomy_id) JOIN wordpress.wp_terms t USING (term_id) WHERE r.object_id = %s ORDER BY 2, 1", post)
    assert {("Nature", "category", 1), ("green", "post_tag", 1), ("night", "post_tag", 1)} <= set(terms), terms
    site.open("wp-admin/options-permalink.php").press("#submit")  # the installer leaves out the addresses of terms
    site.shows("Permalink structure updated")
    site.open("?tag=green").shows("again")
    site.open(f"?cat={one('SELECT term_id FROM wordpress.wp_terms WHERE name = %s', 'Nature')}").shows("again")


def check_media(site):
    image = site.directory / "dot.png"
    image.write_bytes(PNG)
    site.open("wp-admin/media-new.php?browser-uploader")
    site.hidden("#async-upload").send_keys(str(image))
    site.press("#html-upload")
    site.wait(lambda: sql("SELECT * FROM wordpress.wp_posts WHERE post_type = 'attachment'"), "the upload")
    site.settle()
    site.check()
    site.open("wp-admin/upload.php?mode=list&s=dot").shows("dot")
    assert "dot.png" in one("SELECT meta_value FROM wordpress.wp_postmeta WHERE meta_key = '_wp_attached_file'")


def check_users_and_settings(site):
    site.open("wp-admin/user-new.php")
    site.fill("#user_login", "guest").fill("#email", "guest@example.org").fill("#first_name", "Zoë").fill("#pass1", "Grey-Goose-42-Flies")
    site.choose("#role", "author").press("#createusersub")
    site.shows("New user created")
    site.open("wp-admin/users.php?role=author&orderby=email&order=desc&s=gue").shows("guest@example.org")
    assert sql("SELECT m.meta_key, m.meta_value FROM wordpress.wp_users u JOIN wordpress.wp_usermeta m ON m.user_id = u.ID WHERE u.user_login = 'guest' "
               "AND m.meta_key IN ('first_name', 'wp_capabilities') ORDER BY 1") == (
        ("first_name", "Zoë"), ("wp_capabilities", 'a:1:{s:6:"author";b:1;}'))
    site.open("wp-admin/options-general.php")
    site.fill("#blogdescription", "It's cold — \\ but bright").press("#submit")
    site.shows("Settings saved.")
    assert one("SELECT option_value FROM wordpress.wp_options WHERE option_name = 'blogdescription'").startswith("It&#039;s cold — ")
    for path in ("index.php", "edit.php?post_type=page", "edit.php?post_status=trash", "themes.php", "plugins.php", "tools.php", "export.php",
                 "site-health.php", "site-health.php?tab=debug", "options-writing.php", "options-reading.php", "options-discussion.php",
                 "options-permalink.php", "options-privacy.php", "privacy-policy-guide.php", "profile.php", "edit-tags.php?taxonomy=post_tag",
                 "export-personal-data.php", "erase-personal-data.php", "import.php"):
        site.open(f"wp-admin/{path}")
    site.open("?m=" + time.strftime("%Y%m", time.gmtime()))
    site.open("?author=1")
    site.open("index.php?rest_route=/wp/v2/posts&search=Whale&orderby=relevance").shows("Whale song")


def check_trash(site, post):
    site.open("wp-admin/edit.php?s=Whale")
    site.press(site.hidden(f"#post-{post} .submitdelete"))
    site.shows("1 post moved to the Trash")
    assert one("SELECT post_status FROM wordpress.wp_posts WHERE ID = %s", post) == "trash"
    site.open("wp-admin/edit.php?post_status=trash&post_type=post").shows("Whale song")
    site.press("#delete_all")
    site.shows("1 post permanently deleted")
    assert not sql("SELECT * FROM wordpress.wp_posts WHERE ID = %s OR post_parent = %s", post, post)
    assert not sql("SELECT * FROM wordpress.wp_postmeta WHERE post_id = %s", post)


def run(site):
    prepare(site)
    install(site)
    first, second = check_posts(site)
    check_comments(site, first)
    check_terms(site, first)
    check_media(site)
    check_users_and_settings(site)
    check_trash(site, second)


if __name__ == "__main__":
    with Site("wordpress") as site:
        run(site)
        assert not site.log_trouble(), "\n".join(site.log_trouble()[:20])
